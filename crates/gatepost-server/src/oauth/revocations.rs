//! This file is where an API is told what is revoked for it: a signed feed with an entity tag, that may wait for news.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::news;
use tokio::time::Instant;

use crate::http::failure::Dress;
use crate::http::treatment::LONGEST_WAIT;
use crate::http::{api_access, cached};
use crate::state::App;

/// `GET /oauth2/revocations?wait=SECONDS`.
pub(crate) async fn answer(State(app): State<App>, RawQuery(query): RawQuery, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match told(&app, query.as_deref().unwrap_or_default(), &parts).await {
        Ok(response) => response,
        Err(refusal) => Dress::Standard(app.gate.issuer.as_str()).refused(refusal, &parts.headers),
    }
}

/// Answers at once what the caller does not know yet, else when there is news or the wait is over.
async fn told(app: &App, query: &str, parts: &Parts) -> Result<Response, Refusal> {
    let headers = &parts.headers;
    let mut changes = app.gate.followed.changes();
    let mut stopping = app.stopping();
    // Who may not know must not learn from the order of checks either: the wait is read after the proof.
    api_access::prove(&app.gate, headers, &parts.extensions)?;
    let until = Instant::now() + wait(query)?;
    let _following = app.feeds.follow();
    loop {
        changes.borrow_and_update();
        // The secret may have been ended while the caller waited.
        let api = api_access::prove_again(&app.gate, headers, &parts.extensions)?.id();
        // Cut off, this node must not tell its followers that there is nothing new.
        if !news::hears_the_store(&app.gate).await {
            let why = "the store has not been heard; what was revoked meanwhile is not known";
            return Err(Code::TemporarilyUnavailable.because(why));
        }
        let feed = app.feeds.of(&app.gate, api).await?;
        let over = Instant::now() >= until || *stopping.borrow_and_update();
        let mut validators = validators(feed.etag());
        if !cached::is_known(&parts.headers, feed.etag()) {
            validators.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
            return Ok((validators, Body::from(feed.signed(&app.gate)?)).into_response());
        }
        if over {
            return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
        }
        drop(feed);
        tokio::select! {
            _ = changes.changed() => {}
            _ = stopping.changed() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// Whole seconds, at most half a minute; none unless asked for.
fn wait(query: &str) -> Result<Duration, Refusal> {
    let mut named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "wait");
    match (named.next(), named.next()) {
        (None, _) => Ok(Duration::ZERO),
        (Some((_, seconds)), None) => {
            let seconds: u16 = seconds
                .parse()
                .map_err(|_| Code::InvalidRequest.because("wait is no number").about("wait"))?;
            Ok(Duration::from_secs(seconds.into()).min(LONGEST_WAIT))
        }
        (Some(_), Some(_)) => Err(Code::InvalidRequest.because("wait is repeated").about("wait")),
    }
}

fn validators(etag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    headers
}
