//! This file is where the tests get an API of their own, with a key that signs tokens for it.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bookings_api::{Bookings, router};
use gatepost_guard::jose::{Algorithm, Micros, RsaBits, SigningKey, sign};
use gatepost_guard::{Clock, FixedKeys, Guard, SystemClock};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::EdDsa, RsaBits::B2048).unwrap());

/// The API, in process.
pub(crate) struct Api(Router);

/// Status and JSON of an answer; an empty body is `null`.
pub(crate) type Answer = (u16, Value);

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with(Bookings::in_memory().await.unwrap())
    }

    pub(crate) fn with(store: Bookings) -> Self {
        let guard = Guard::builder().passport(FixedKeys::new([KEY.public().clone()])).build().unwrap();
        Self(router(guard, store))
    }

    pub(crate) async fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json = if status == StatusCode::NO_CONTENT {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap()
        };
        (status.as_u16(), json)
    }

    /// The page for Prometheus; it takes no token.
    pub(crate) async fn metrics(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    pub(crate) async fn book(&self, token: &str, reference: &str) -> Answer {
        let body = json!({"reference": reference, "starts": "2030-01-31T09:00:00Z"});
        self.ask(token, "POST", "/bookings", &body.to_string()).await
    }

    pub(crate) async fn references(&self, token: &str) -> Vec<String> {
        let (status, body) = self.ask(token, "GET", "/bookings", "").await;
        assert_eq!(status, 200);
        let bookings = body["bookings"].as_array().unwrap();
        bookings.iter().map(|booking| booking["reference"].as_str().unwrap().to_owned()).collect()
    }
}

/// A token for a client of this partner.
pub(crate) fn token(partner: Option<&str>, scopes: &[&str]) -> String {
    let Micros(now) = SystemClock::new().now();
    let now = now / 1_000_000;
    let claims = json!({
        "aud": "client-1", "jti": "1", "iat": now, "nbf": now, "exp": now + 600, "sub": "", "scopes": scopes,
        "user_id": "user-1", "partner_id": partner, "is_test": true,
    });
    sign::compact(&KEY, r#"{"typ":"JWT","alg":"EdDSA"}"#, &claims.to_string()).unwrap()
}

pub(crate) const BOTH: [&str; 2] = ["bookings:create", "bookings:delete"];
