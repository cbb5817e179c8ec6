//! This file is where what doors refuse becomes statuses and bodies, in the dress of each door.
//! What HTTP itself finds wrong has its statuses in [`fault`](super::fault).
//!
//! The origin door speaks as Laravel Passport does, to the byte; the standard door speaks RFC 6749 section 5.2.
//! The private reason of a refusal never gets here.

mod passport;
mod standard;

use axum::body::Body;
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost_operations::config::ErrorStyle;
use gatepost_operations::core::params::Door;
use gatepost_operations::core::refusal::{Code, Refusal};
use serde::Serialize;

use super::facts::LogFacts;
use super::fault::Fault;
use super::limited::{self, Spelling};

/// How a door dresses its failures.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dress<'a> {
    /// `error`, `error_description`, `hint`, `message`.
    Passport(ErrorStyle),
    /// `error`, `error_description`, `error_uri`, the last under this issuer.
    Standard(&'a str),
}

impl Dress<'_> {
    /// A refused request.
    pub(crate) fn refuse(self, refusal: &Refusal, headers: &HeaderMap) -> Response {
        let code = self.code(refusal.code);
        let body = match self {
            Self::Passport(style) => passport::body(code, refusal.parameter.as_deref(), style),
            Self::Standard(issuer) => standard::body(code, refusal.parameter.as_deref(), issuer),
        };
        let mut response = answer(status(code), body);
        if code == Code::InvalidClient
            && let Some(challenge) = self.challenge(headers)
        {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if code == Code::TemporarilyUnavailable {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(refusal.again_in.unwrap_or(1)));
        }
        if let Some(used_up) = &refusal.used_up {
            limited::hold_back(response.headers_mut(), used_up, self.spelling());
        }
        response
    }

    fn spelling(self) -> Spelling {
        match self {
            Self::Passport(_) => Spelling::Laravel,
            Self::Standard(_) => Spelling::Draft,
        }
    }

    /// A refused request, and for its log line why.
    pub(crate) fn refused(self, refusal: Refusal, headers: &HeaderMap) -> Response {
        let mut response = self.refuse(&refusal, headers);
        let facts = LogFacts {
            refusal: Some(refusal.code.as_str()),
            reason: Some(refusal.reason.into_owned()),
            ..LogFacts::default()
        };
        response.extensions_mut().insert(facts);
        response
    }

    /// A body that could not be taken in.
    pub(crate) fn faulty(self, fault: Fault) -> Response {
        let code = fault.code();
        let body = match self {
            Self::Passport(style) => passport::body(code, None, style),
            Self::Standard(issuer) => standard::described(code, fault.description().to_owned(), issuer),
        };
        let mut response = answer(fault.status(), body);
        if code == Code::TemporarilyUnavailable {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        fault.note_in(&mut response);
        response
    }

    /// Passport up to 12 answers a client without the grant as if it did not know it.
    fn code(self, code: Code) -> Code {
        match (self, code) {
            (Self::Passport(ErrorStyle::Passport12), Code::UnauthorizedClient) => Code::InvalidClient,
            _ => code,
        }
    }

    /// RFC 6749 section 5.2: answer in the scheme that the client used. Passport challenges only who sent a header.
    fn challenge(self, headers: &HeaderMap) -> Option<&'static str> {
        let used = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        match (self, used) {
            (Self::Passport(_), None) => None,
            (Self::Passport(_), Some(text)) if text.starts_with(b"Bearer") => Some(r#"Bearer realm="OAuth""#),
            (Self::Passport(_), Some(_)) | (Self::Standard(_), _) => Some(r#"Basic realm="OAuth""#),
        }
    }
}

/// The status of each code.
pub(crate) const fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidRequest
        | Code::UnauthorizedClient
        | Code::UnsupportedGrantType
        | Code::InvalidScope
        | Code::InvalidTarget => StatusCode::BAD_REQUEST,
        Code::InvalidClient => StatusCode::UNAUTHORIZED,
        Code::SlowDown => StatusCode::TOO_MANY_REQUESTS,
        Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A JSON answer that nobody may keep.
fn answer(status: StatusCode, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store, private")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (status, headers, body).into_response()
}

#[derive(Serialize)]
struct PlainBody<'a> {
    message: &'a str,
    error: &'static str,
    error_description: &'a str,
}

/// Any method but those that an address takes: OPTIONS is told them, all others that they are none of them (RFC 9110
/// section 15.5.6), in the dress of the door that was meant, or else in the words of Laravel.
pub(crate) fn only(allowed: &'static str, method: &Method, dress: Option<Dress<'_>>) -> Response {
    let allow = [(ALLOW, HeaderValue::from_static(allowed))];
    if *method == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, allow).into_response();
    }
    let why = format!("The {method} method is not supported for this route. Supported methods: {allowed}.");
    let body = match dress {
        Some(Dress::Standard(issuer)) => standard::described(Code::InvalidRequest, why, issuer),
        Some(Dress::Passport(_)) | None => {
            let body = PlainBody { message: &why, error: "invalid_request", error_description: &why };
            serde_json::to_string(&body).unwrap_or_default()
        }
    };
    let mut response = (allow, answer(StatusCode::METHOD_NOT_ALLOWED, body)).into_response();
    if *method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// An address where nothing is.
pub(crate) fn not_found() -> Response {
    let body =
        PlainBody { message: "", error: "not_found", error_description: "there is nothing at this address" };
    answer(StatusCode::NOT_FOUND, serde_json::to_string(&body).unwrap_or_default())
}

/// A call that a guard refuses on behalf of an API: 401 with the guard's challenge; all else is 403.
pub(crate) fn call_refused(refusal: &gatepost_guard::Refusal, realm: &str) -> Response {
    let mut response = refusal.response(realm).map(Body::new);
    if response.status() != StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.headers_mut().remove(RETRY_AFTER);
    }
    response
}

/// A call of which nothing is known but that it may not pass.
pub(crate) fn denied() -> Response {
    let why = "this request may not pass; the server's log tells why under its id";
    let body = PlainBody { message: "Forbidden.", error: "access_denied", error_description: why };
    answer(StatusCode::FORBIDDEN, serde_json::to_string(&body).unwrap_or_default())
}

/// The dress of a door.
pub(crate) const fn dress(door: Door, style: ErrorStyle, issuer: &str) -> Dress<'_> {
    match door {
        Door::Origin => Dress::Passport(style),
        Door::Standard => Dress::Standard(issuer),
    }
}
