//! This file is where the reading of requests is run for ci/bench-pure.sh: the head filter's part, and the parameters.
#![allow(clippy::expect_used, reason = "what fails here has no figure")]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use gatepost_server::pure::{has_params, is_head};

#[path = "../../../bench/pure/parts.rs"]
mod parts;

const HEAD: &[u8] = b"POST /oauth2/token HTTP/1.1\r\nHost: auth.example\r\nUser-Agent: partner/1.0\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 150\r\n\r\n";
const FORM: &[u8] = b"grant_type=client_credentials&client_id=9b1e82a7-0a59-4e7e-add5-b9ffa37aade1&client_secret=gp_live_0123456789012345678901234567890123456789000000&scope=bookings%3Acreate";
const JSON: &[u8] = br#"{"grant_type":"client_credentials","client_id":"9b1e82a7-0a59-4e7e-add5-b9ffa37aade1","client_secret":"gp_live_0123456789012345678901234567890123456789000000","scope":"bookings:create"}"#;

fn main() {
    parts::run(&[("request-head", head), ("form-body", form), ("json-body", json)]);
}

fn head(rounds: u32) {
    for _ in 0..rounds {
        assert!(is_head(black_box(HEAD)), "a head");
    }
}

fn form(rounds: u32) {
    params("application/x-www-form-urlencoded", FORM, rounds);
}

fn json(rounds: u32) {
    params("application/json", JSON, rounds);
}

fn params(content_type: &'static str, body: &'static [u8], rounds: u32) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..rounds {
        let reading = pin!(has_params(black_box(&headers), Bytes::from_static(body)));
        assert!(matches!(reading.poll(&mut context), Poll::Ready(true)), "parameters");
    }
}
