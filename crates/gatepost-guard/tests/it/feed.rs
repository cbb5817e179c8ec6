//! This file is where guards follow revocation feeds that tests serve on a loopback port, well or badly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use gatepost_guard::jose::{Algorithm, SigningKey, sign};
use gatepost_guard::{FEED_TYP, Feed, FeedClaims, FeedError, FetchError, Guard, GuardCollector};
use serde_json::json;
use tokio::net::TcpListener;

use crate::clock::{NOW, TestClock};
use crate::mint::{ISSUER, Profile, fixed, fresh, key};
use crate::rows::code;

const API: &str = "11111111-1111-4111-8111-111111111111";

/// What the server says at the moment.
#[derive(Clone)]
struct Said {
    feed: (StatusCode, &'static str, String),
    issuer: &'static str,
    asked_for_metadata: usize,
}

#[derive(Clone)]
struct FeedServer {
    key: Arc<SigningKey>,
    said: Arc<Mutex<Said>>,
    port: u16,
}

impl FeedServer {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let feed = (StatusCode::SERVICE_UNAVAILABLE, "text/plain", String::new());
        let said = Said { feed, issuer: ISSUER, asked_for_metadata: 0 };
        let server = Self { key: Arc::new(fresh(Algorithm::Es256)), said: Arc::new(Mutex::new(said)), port };
        let routes = Router::new()
            .route("/oauth2/revocations", get(revocations))
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        server
    }

    fn says(&self, status: StatusCode, content_type: &'static str, body: impl Into<String>) {
        self.said.lock().unwrap().feed = (status, content_type, body.into());
    }

    /// A feed as the server signs it, issued so many seconds after the start, with these tokens.
    fn feeds(&self, after: i64, tokens: &[&str]) {
        self.says(StatusCode::OK, "application/jwt", signed(&self.key, FEED_TYP, &claims(after, tokens)));
    }

    fn guard(&self, change: impl FnOnce(Feed) -> Feed) -> Guard {
        self.guard_at(TestClock::new(), change)
    }

    fn guard_at(&self, clock: TestClock, change: impl FnOnce(Feed) -> Feed) -> Guard {
        let url = format!("http://127.0.0.1:{}", self.port);
        let feed = change(Feed::new(ISSUER, API, "secret").unwrap().reached_at(&url).unwrap());
        Profile::Rfc9068.guard(fixed(&[key()])).follow(feed).clock(clock).build().unwrap()
    }
}

async fn revocations(State(server): State<FeedServer>, headers: HeaderMap) -> Response {
    let (status, content_type, body) = server.said.lock().unwrap().feed.clone();
    let etag = format!("\"{}\"", body.len());
    if headers.get("if-none-match").is_some_and(|known| *known == etag) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    // `id:secret` of a test; a redirect would lead to the same server.
    assert_eq!(headers["authorization"].to_str().unwrap().split(' ').next(), Some("Basic"));
    (status, [("content-type", content_type), ("etag", &etag), ("location", "/")], body).into_response()
}

async fn metadata(State(server): State<FeedServer>) -> Response {
    let mut said = server.said.lock().unwrap();
    said.asked_for_metadata += 1;
    let body = json!({ "issuer": said.issuer, "gatepost_service_jwk": server.key.public().to_jwk() });
    Json(body).into_response()
}

fn claims(after: i64, tokens: &[&str]) -> FeedClaims {
    let tokens: BTreeMap<_, _> = tokens.iter().map(|jti| ((*jti).to_owned(), NOW + 7_200)).collect();
    FeedClaims {
        iss: ISSUER.into(),
        aud: API.into(),
        iat: NOW + after,
        exp: NOW + after + 60,
        tokens,
        ..FeedClaims::default()
    }
}

fn signed(key: &SigningKey, typ: &str, claims: &FeedClaims) -> String {
    let header = json!({ "typ": typ, "alg": key.algorithm().as_str(), "kid": key.kid() });
    sign::compact(key, &header.to_string(), &serde_json::to_string(claims).unwrap()).unwrap()
}

/// Waits until the guard's status is so.
async fn until(guard: &Guard, wanted: impl Fn(&gatepost_guard::FeedStatus) -> bool) {
    let began = Instant::now();
    while !wanted(&guard.feed_status().unwrap()) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", guard.feed_status());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn neither_an_older_feed_nor_a_lagging_server_revives_a_token() {
    let server = FeedServer::start().await;
    server.feeds(10, &["token-1", "token-2"]);
    let guard = server.guard(|feed| feed);
    let token = Profile::Rfc9068.token(key());
    assert_eq!(code(&guard, &token).await, "revoked");

    server.feeds(-51, &[]);
    until(&guard, |status| status.failure == Some(FeedError::Older)).await;
    assert_eq!(code(&guard, &token).await, "revoked");

    server.feeds(11, &["token-3"]);
    until(&guard, |status| status.taken_up == 2).await;
    assert_eq!(code(&guard, &token).await, "revoked", "another node may not have heard of it yet");
    assert_eq!(guard.feed_status().unwrap().revocations, 3);
    assert_eq!(server.said.lock().unwrap().asked_for_metadata, 1, "the key is pinned");
}

#[tokio::test]
async fn a_guard_that_starts_believes_no_feed_of_another_time() {
    let server = FeedServer::start().await;
    let long = |after, life| FeedClaims { exp: NOW + life, ..claims(after, &[]) };
    for (said, verdict, failure) in [
        (claims(-119, &[]), "accepted", None),
        (claims(-120, &[]), "no_revocations", Some(FeedError::Expired)),
        (claims(60, &[]), "accepted", None),
        (claims(61, &[]), "no_revocations", Some(FeedError::Early)),
        (long(-360, 3_600), "accepted", None),
        (long(-361, 3_600), "no_revocations", Some(FeedError::Expired)),
        (FeedClaims { exp: 0, ..claims(0, &[]) }, "no_revocations", Some(FeedError::Expired)),
    ] {
        server.says(StatusCode::OK, "application/jwt", signed(&server.key, FEED_TYP, &said));
        let guard = server.guard(|feed| feed);
        assert_eq!(code(&guard, &Profile::Rfc9068.token(key())).await, verdict, "{said:?}");
        let status = guard.feed_status().unwrap();
        assert_eq!((status.failure, status.serving), (failure, verdict == "accepted"), "{said:?}");
    }
}

#[tokio::test]
async fn that_nothing_has_changed_is_believed_for_minutes_and_not_for_good() {
    let server = FeedServer::start().await;
    server.feeds(0, &[]);
    let clock = TestClock::new();
    let guard = server.guard_at(clock.clone(), |feed| feed);
    let token = Profile::Rfc9068.token(key());
    assert_eq!(code(&guard, &token).await, "accepted");
    server.says(StatusCode::NOT_MODIFIED, "text/plain", "");
    until(&guard, |status| status.unchanged > 0).await;

    clock.pass(300);
    until(&guard, |status| status.failure == Some(FeedError::Fetch(FetchError::Status(304)))).await;
    assert_eq!(code(&guard, &token).await, "accepted");
    clock.pass(301);
    assert_eq!(code(&guard, &token).await, "no_revocations");

    server.feeds(601, &["token-1"]);
    until(&guard, |status| status.serving).await;
    assert_eq!(code(&guard, &token).await, "revoked");
}

#[tokio::test]
async fn a_wall_clock_that_is_set_does_not_end_the_time_without_the_feed() {
    let server = FeedServer::start().await;
    server.feeds(0, &[]);
    let clock = TestClock::new();
    let guard = server.guard_at(clock.clone(), |feed| feed);
    let token = Profile::Rfc9068.token(key());
    assert_eq!(code(&guard, &token).await, "accepted");

    server.says(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "");
    until(&guard, |status| status.failure.is_some()).await;
    clock.jump(900);
    assert_eq!(code(&guard, &token).await, "accepted");
    clock.jump(-900);
    clock.pass(601);
    assert_eq!(code(&guard, &token).await, "no_revocations");
}

#[tokio::test]
async fn a_guard_tells_how_it_gets_along() {
    let server = FeedServer::start().await;
    let said = FeedClaims { seq: 7, ..claims(0, &["token-2"]) };
    server.says(StatusCode::OK, "application/jwt", signed(&server.key, FEED_TYP, &said));
    let clock = TestClock::new();
    let guard = server.guard_at(clock.clone(), |feed| feed);
    assert_eq!((guard.status().keys_age, guard.status().feed.unwrap().seq), (None, None));

    let token = Profile::Rfc9068.token(key());
    for (presented, wanted) in [(token.as_str(), "accepted"), (&token, "accepted"), ("a.b.c", "base64")] {
        assert_eq!(code(&guard, presented).await, wanted);
    }
    assert!(guard.authenticate(&HeaderMap::new()).await.is_err());
    clock.pass(5);

    let status = guard.status();
    assert_eq!((status.accepted, status.cache_hits, status.cache_misses), (2, 1, 2));
    assert_eq!(status.refused, BTreeMap::from([("base64", 1), ("no_credentials", 1)]));
    assert_eq!((status.keys, status.keys_age), (1, Some(Duration::from_secs(5))));
    let feed = status.feed.unwrap();
    assert_eq!((feed.seq, feed.revocations, feed.taken_up), (Some(7), 1, 1));

    let mut registry = prometheus_client::registry::Registry::default();
    registry.register_collector(Box::new(GuardCollector::new(guard)));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "gatepost_guard_accepted_total 2",
        r#"gatepost_guard_refused_total{reason="base64"} 1"#,
        r#"gatepost_guard_cache_lookups_total{outcome="hit"} 1"#,
        "gatepost_guard_keys_age_seconds 5.0",
        "gatepost_guard_feed_serving 1",
        "gatepost_guard_feed_sequence 7",
        "gatepost_guard_feed_revocations 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}

#[tokio::test]
async fn what_is_no_feed_of_this_api_signed_by_the_pinned_key_lets_nobody_in() {
    let server = FeedServer::start().await;
    let good = claims(0, &[]);
    let jwt = |text: String| (StatusCode::OK, "application/jwt", text);
    let own = |typ: &str, claims: &FeedClaims| jwt(signed(&server.key, typ, claims));
    let other = fresh(Algorithm::Es256);
    for (said, name) in [
        (jwt(signed(&other, FEED_TYP, &good)), "Signature"),
        (own("at+jwt", &good), "Signature"),
        (own("Gatepost-Revocations+JWT", &good), "Signature"),
        (own(FEED_TYP, &FeedClaims { iss: "https://other.example".into(), ..good.clone() }), "Issuer"),
        (own(FEED_TYP, &FeedClaims { aud: "another".into(), ..good.clone() }), "Audience"),
        (jwt(Profile::Rfc9068.token(key())), "Signature"),
        (jwt("garbage".into()), "Signature"),
        ((StatusCode::OK, "text/html", signed(&server.key, FEED_TYP, &good)), "Claims"),
        ((StatusCode::UNAUTHORIZED, "text/plain", String::new()), "Credentials"),
        ((StatusCode::FOUND, "text/plain", String::new()), "Fetch"),
        ((StatusCode::INTERNAL_SERVER_ERROR, "text/plain", String::new()), "Fetch"),
        ((StatusCode::OK, "application/jwt", "x".repeat(17 << 20)), "Fetch"),
    ] {
        server.says(said.0, said.1, said.2);
        let guard = server.guard(|feed| feed);
        assert_eq!(code(&guard, &Profile::Rfc9068.token(key())).await, "no_revocations", "{name}");
        let status = guard.feed_status().unwrap();
        assert!(format!("{:?}", status.failure.unwrap()).starts_with(name), "{name}");
        assert!(!status.serving && status.age.is_none() && status.failed == 1);
    }
}

#[tokio::test]
async fn the_service_key_comes_from_the_metadata_of_the_issuer_or_by_hand() {
    let server = FeedServer::start().await;
    server.feeds(0, &[]);
    server.said.lock().unwrap().issuer = "https://other.example";
    let token = Profile::Rfc9068.token(key());

    let guard = server.guard(|feed| feed);
    assert_eq!(code(&guard, &token).await, "no_revocations");
    assert_eq!(guard.feed_status().unwrap().failure, Some(FeedError::Metadata));

    let pinned = server.guard(|feed| feed.service_key(&server.key.public().to_jwk()).unwrap());
    assert_eq!(code(&pinned, &token).await, "accepted");
    assert!(pinned.feed_status().unwrap().serving);
}

#[test]
fn a_feed_that_can_not_be_followed_is_refused_when_it_is_set_up() {
    for (issuer, api, secret) in [
        ("http://auth.example.com", API, "s"),
        ("nonsense", API, "s"),
        (ISSUER, "", "s"),
        (ISSUER, API, ""),
        (ISSUER, "a:b", "s"),
    ] {
        assert!(Feed::new(issuer, api, secret).is_err(), "{issuer} {api}");
    }
    let feed = Feed::new(ISSUER, API, "the-secret").unwrap();
    assert!(!format!("{feed:?}").contains("the-secret"));
    assert!(feed.clone().service_key(&key().public().to_jwk()).is_err(), "an RSA key is no service key");
    assert!(feed.clone().reached_at("http://10.0.0.1").is_err());
    assert!(feed.trusting("no certificate").is_err());
    let timeout = FeedError::from(FetchError::Timeout(Duration::from_secs(8)));
    assert_eq!(timeout.to_string(), "no answer within 8s");
}
