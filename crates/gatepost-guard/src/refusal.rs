//! This file is where a refusal becomes an answer: status, challenge and body (RFC 6750 section 3, RFC 9110).

use std::sync::Arc;

use bytes::Bytes;
use gatepost_jose::Rejection;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use thiserror::Error;

/// The realm of a refusal that meets no guard which would name its own.
pub(crate) const DEFAULT_REALM: &str = "api";

/// Why a call isn't served. The caller learns a fixed text; the reason is for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No bearer token was sent.
    #[error("no bearer token was sent")]
    NoCredentials,
    /// The `Authorization` header can't be read as one bearer token.
    #[error("the Authorization header is not one bearer token")]
    Malformed,
    /// The token isn't valid.
    #[error("the token is not valid: {0}")]
    Invalid(Rejection),
    /// The token was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The token is a test client's, and this API takes live ones only.
    #[error("the token is a test client's")]
    TestToken,
    /// The token lacks a scope.
    #[error("the token lacks a scope: {required}")]
    Scope {
        /// The scopes of the route, separated by spaces.
        required: Arc<str>,
    },
    /// No keys are known yet, or the last ones are too old; nothing can be said about the token.
    #[error("no signing keys are known; is the key source reachable?")]
    NotReady,
    /// The revocation feed has not been heard for too long; whether the token was revoked is not known.
    #[error("the revocation feed has not been heard for too long; is the server reachable?")]
    NoNews,
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
    message: &'static str,
}

impl Refusal {
    /// A stable name for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::Malformed => "malformed",
            Self::Invalid(rejection) => rejection.code(),
            Self::Revoked => "revoked",
            Self::TestToken => "test_token",
            Self::Scope { .. } => "insufficient_scope",
            Self::NotReady => "no_keys",
            Self::NoNews => "no_revocations",
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoCredentials | Self::Malformed | Self::Invalid(_) | Self::Revoked => {
                StatusCode::UNAUTHORIZED
            }
            Self::TestToken | Self::Scope { .. } => StatusCode::FORBIDDEN,
            Self::NotReady | Self::NoNews => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The `WWW-Authenticate` challenge; an answer without a verdict on the token has none.
    #[must_use]
    pub fn challenge(&self, realm: &str) -> Option<HeaderValue> {
        let text = match self {
            Self::NotReady | Self::NoNews => return None,
            Self::NoCredentials => format!(r#"Bearer realm="{realm}""#),
            Self::Scope { required } => {
                format!(r#"{}, scope="{required}""#, self.challenge_with_error(realm))
            }
            Self::Malformed | Self::Invalid(_) | Self::Revoked | Self::TestToken => {
                self.challenge_with_error(realm)
            }
        };
        HeaderValue::from_str(&text).ok()
    }

    fn challenge_with_error(&self, realm: &str) -> String {
        let Body { error, error_description, .. } = self.body();
        let (error, description) = (error.unwrap_or_default(), error_description.unwrap_or_default());
        format!(r#"Bearer realm="{realm}", error="{error}", error_description="{description}""#)
    }

    /// The same text for every bad token: an attacker learns nothing of which check it failed.
    fn body(&self) -> Body {
        let (error, error_description, message) = match self {
            Self::NoCredentials => (None, None, "Unauthenticated."),
            Self::Malformed | Self::Invalid(_) | Self::Revoked => (
                Some("invalid_token"),
                Some("The access token is missing, malformed, expired, revoked or not for this API."),
                "Unauthenticated.",
            ),
            Self::TestToken => (
                Some("insufficient_scope"),
                Some("Test credentials are not accepted here; use live ones."),
                "Test credentials are not accepted.",
            ),
            Self::Scope { .. } => (
                Some("insufficient_scope"),
                Some("The access token does not have the scope that this request needs."),
                "Invalid scope(s) provided.",
            ),
            Self::NotReady | Self::NoNews => (
                Some("temporarily_unavailable"),
                Some("Access tokens can't be checked at the moment; try again soon."),
                "Service Unavailable.",
            ),
        };
        Body { error, error_description, message }
    }

    /// The whole answer, with the challenge for this realm.
    #[must_use]
    pub fn response(&self, realm: &str) -> Response<Full<Bytes>> {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge(realm) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Invalid(rejection)
    }
}

#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for Refusal {
    fn into_response(self) -> axum_core::response::Response {
        self.response(DEFAULT_REALM).map(axum_core::body::Body::new)
    }
}
