//! This file is where a guarded call is run for ci/bench-pure.sh: with a remembered token, and with a bad header.
#![allow(clippy::expect_used, reason = "what fails here has no figure")]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use gatepost_guard::jose::{Algorithm, RsaBits, SigningKey, sign};
use gatepost_guard::{Clock as _, FixedKeys, Guard, SystemClock};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

#[path = "../../../bench/pure/parts.rs"]
mod parts;

fn main() {
    parts::run(&[("remembered-token", remembered), ("two-tokens", two_tokens)]);
}

fn guard(key: &SigningKey) -> Guard {
    let guard = Guard::builder().rfc9068("https://auth.example", "https://api.example");
    let guard = guard.keys(FixedKeys::new([key.public().clone()])).build().expect("a guard");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(guard.refresh_keys()).expect("keys");
    guard
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, RsaBits::B2048).expect("a key")
}

fn header(token: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Bearer {token}")).expect("a header")
}

/// A judgement that has nothing to wait for.
fn judged(guard: &Guard, headers: &HeaderMap) -> bool {
    let mut judging = pin!(guard.authenticate(headers));
    match judging.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict.is_ok(),
        Poll::Pending => false,
    }
}

fn remembered(rounds: u32) {
    let key = key();
    let now = SystemClock::new().now().seconds();
    let head = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{}"}}"#, key.kid().as_str());
    let claims = format!(
        r#"{{"iss":"https://auth.example","aud":"https://api.example","sub":"c","client_id":"c","scope":"bookings:read","jti":"t","iat":{now},"exp":{}}}"#,
        now + 3_600
    );
    let token = sign::compact(&key, &head, &claims).expect("a token");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, header(&token))]);
    let guard = guard(&key);
    assert!(judged(&guard, &headers), "the first call");
    for _ in 0..rounds {
        assert!(judged(&guard, black_box(&headers)), "a later call");
    }
}

fn two_tokens(rounds: u32) {
    let guard = guard(&key());
    let mut headers = HeaderMap::new();
    for token in ["a.b.c", "a.b.d"] {
        headers.append(AUTHORIZATION, header(token));
    }
    for _ in 0..rounds {
        assert!(!judged(&guard, black_box(&headers)), "two are one too many");
    }
}
