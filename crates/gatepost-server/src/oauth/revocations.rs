//! This file is where an API is told what is revoked for it: a signed feed with an entity tag, that may wait for news.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost_guard::FeedClaims;
use gatepost_operations::core::apis::ApiId;
use gatepost_operations::core::keys::KeyState;
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::core::tokens::revoke::Revoked;
use gatepost_operations::gate::Gate;
use gatepost_operations::key_ring::etag_of;
use gatepost_operations::service::{self, Statement};
use tokio::time::Instant;

use crate::http::failure::Dress;
use crate::http::treatment::LONGEST_WAIT;
use crate::http::{api_access, cached};
use crate::state::App;

/// `GET /oauth2/revocations?wait=SECONDS`.
pub(crate) async fn answer(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match told(&app, query.as_deref().unwrap_or_default(), &headers).await {
        Ok(response) => response,
        Err(refusal) => Dress::Standard(app.gate.issuer.as_str()).refused(refusal, &headers),
    }
}

/// Answers at once what the caller does not know yet, else when there is news or the wait is over.
async fn told(app: &App, query: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let mut changes = app.gate.followed.changes();
    let mut stopping = app.stopping();
    // Who may not know must not learn from the order of checks either: the wait is read after the proof.
    api_access::prove(&app.gate, headers)?;
    let until = Instant::now() + wait(query)?;
    loop {
        changes.borrow_and_update();
        // The secret may have been ended while the caller waited.
        let api = api_access::prove(&app.gate, headers)?.id();
        let feed = feed(&app.gate, api)?;
        let etag = format!("\"{}\"", feed.version);
        let over = Instant::now() >= until || *stopping.borrow_and_update();
        if !cached::is_known(headers, &etag) {
            return sent(&app.gate, &feed, &etag);
        }
        if over {
            return Ok((StatusCode::NOT_MODIFIED, standing(&etag)).into_response());
        }
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

/// What is revoked for the API; all but the time of the signature.
fn feed(gate: &Gate, api: ApiId) -> Result<FeedClaims, Refusal> {
    let ring = gate.ring();
    let now = gate.clock.now();
    let mut feed = FeedClaims {
        iss: gate.issuer.as_str().to_owned(),
        aud: api.0.to_string(),
        keys: ring.keys_of(api).map(|keys| keys.all().etag.to_string()).unwrap_or_default(),
        ..FeedClaims::default()
    };
    for revocation in gate.revocations.now().about(api).filter(|revocation| !revocation.is_over(now)) {
        let until = revocation.until.seconds().saturating_add(1);
        match &revocation.what {
            Revoked::Token(jti) => drop(feed.tokens.insert(jti.clone(), until)),
            Revoked::Client(id) => drop(feed.clients.insert(id.to_string(), revocation.at.millis())),
            Revoked::Partner(id) => drop(feed.partners.insert(id.0.to_string(), revocation.at.millis())),
        }
    }
    let revoked = ring.stored_of(api).iter().filter(|key| key.state == KeyState::Revoked);
    feed.kids = revoked.map(|key| key.kid.to_string()).collect();
    let content = serde_json::to_string(&feed).map_err(|error| unavailable(&error))?;
    feed.version = etag_of(&content).trim_matches('"').to_owned();
    Ok(feed)
}

fn sent(gate: &Gate, feed: &FeedClaims, etag: &str) -> Result<Response, Refusal> {
    let feed = FeedClaims { iat: gate.clock.now().seconds(), ..feed.clone() };
    let claims = serde_json::to_string(&feed).map_err(|error| unavailable(&error))?;
    let jwt =
        service::sign(gate, Statement::RevocationFeed, &claims).map_err(|failure| unavailable(&failure))?;
    let mut headers = standing(etag);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    Ok((headers, Body::from(jwt)).into_response())
}

fn standing(etag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    headers
}

fn unavailable(error: &impl ToString) -> Refusal {
    Code::TemporarilyUnavailable.because(error.to_string())
}
