//! This file is where what doors refuse becomes statuses and bodies, in the dress of each door.
//! What HTTP itself finds wrong has its statuses in [`fault`](super::fault).
//!
//! The origin door speaks as Laravel Passport does, to the byte; the standard door speaks RFC 6749 section 5.2.
//! The private reason of a refusal never gets here.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
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
            Self::Passport(style) => passport_body(code, refusal.parameter.as_deref(), style),
            Self::Standard(issuer) => standard_body(code, refusal.parameter.as_deref(), issuer),
        };
        let mut response = answer(status(code), body);
        if code == Code::InvalidClient
            && let Some(challenge) = self.challenge(headers)
        {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if code == Code::TemporarilyUnavailable {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
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
            Self::Passport(style) => passport_body(code, None, style),
            Self::Standard(issuer) => described_body(code, fault.description().to_owned(), issuer),
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
        let used = headers.get("authorization").map(HeaderValue::as_bytes);
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
struct PassportBody<'a> {
    error: &'static str,
    error_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

fn passport_body(code: Code, parameter: Option<&str>, style: ErrorStyle) -> String {
    let description = passport_text(code);
    let hint = match (code, parameter) {
        (Code::UnsupportedGrantType, _) => {
            Some("Check that all required parameters have been provided".to_owned())
        }
        (Code::InvalidRequest, Some(name)) => Some(format!("Check the `{name}` parameter")),
        (Code::InvalidScope, Some(scope)) => Some(format!("Check the `{}` scope", html_escaped(scope))),
        _ => None,
    };
    let message = match (style, code) {
        // Who is throttled hears it from Laravel, whatever Passport it runs.
        (ErrorStyle::Passport12, _) | (ErrorStyle::Passport13, Code::SlowDown) => Some(description),
        (ErrorStyle::Passport13, _) => None,
    };
    php_json(&PassportBody { error: code.as_str(), error_description: description, hint, message })
}

const fn passport_text(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest => {
            "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed."
        }
        Code::InvalidClient => "Client authentication failed",
        Code::UnauthorizedClient => {
            "The authenticated client is not authorized to use this authorization grant type."
        }
        Code::UnsupportedGrantType => {
            "The authorization grant type is not supported by the authorization server."
        }
        Code::InvalidScope => "The requested scope is invalid, unknown, or malformed",
        Code::InvalidTarget => "The requested resource is invalid, unknown, or malformed",
        Code::SlowDown => "Too Many Attempts.",
        Code::TemporarilyUnavailable => {
            "The authorization server is currently unable to handle the request; try again shortly."
        }
        Code::ServerError => {
            "The authorization server encountered an unexpected condition which prevented it from fulfilling the request."
        }
    }
}

/// What PHP's `htmlspecialchars` does with `ENT_QUOTES`.
fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#039;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON as PHP's `json_encode` writes it: slashes and everything beyond ASCII escaped.
fn php_json(body: &impl Serialize) -> String {
    let plain = serde_json::to_string(body).unwrap_or_default();
    let mut escaped = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    escaped
}

#[derive(Serialize)]
struct StandardBody {
    error: &'static str,
    error_description: String,
    error_uri: String,
}

fn standard_body(code: Code, parameter: Option<&str>, issuer: &str) -> String {
    let description = match (code, parameter) {
        (Code::InvalidRequest, Some(name)) => format!("check the parameter {}", printable(name)),
        (Code::InvalidScope, Some(scope)) => {
            format!("the scope {} is malformed, unknown or not granted", printable(scope))
        }
        _ => standard_text(code).to_owned(),
    };
    described_body(code, description, issuer)
}

fn described_body(code: Code, error_description: String, issuer: &str) -> String {
    let error = code.as_str();
    let body = StandardBody { error, error_description, error_uri: format!("{issuer}/docs#{error}") };
    serde_json::to_string(&body).unwrap_or_default()
}

const fn standard_text(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest => {
            "a parameter is missing, repeated or malformed, or two authentication methods were used"
        }
        Code::InvalidClient => "client authentication failed",
        Code::UnauthorizedClient => "this client may not use the client_credentials grant",
        Code::UnsupportedGrantType => "the only grant here is client_credentials",
        Code::InvalidScope => "a scope is malformed, unknown or not granted",
        Code::InvalidTarget => "the resource is not the audience of one of the client's APIs",
        Code::SlowDown => {
            "a limit is used up; wait as long as Retry-After says, and keep each token until it expires"
        }
        Code::TemporarilyUnavailable => {
            "the server can not handle the request at the moment; try again shortly"
        }
        Code::ServerError => "something broke here; the operator can find it by the request id",
    }
}

/// Leaves what RFC 6749 section 5.2 allows in `error_description`, at most 100 characters of it.
fn printable(text: &str) -> String {
    let allowed = |c: &char| matches!(c, '\u{20}' | '\u{21}' | '\u{23}'..='\u{5B}' | '\u{5D}'..='\u{7E}');
    text.chars().filter(allowed).take(100).collect()
}

#[derive(Serialize)]
struct PlainBody<'a> {
    message: &'a str,
    error: &'static str,
    error_description: &'a str,
}

/// A method that an address does not take (RFC 9110 section 15.5.6), in the words of Laravel.
pub(crate) fn method_not_allowed(method: &Method, allowed: &'static str) -> Response {
    let message = unsupported(method, allowed);
    let body = PlainBody { message: &message, error: "invalid_request", error_description: &message };
    refuse_method(method, allowed, serde_json::to_string(&body).unwrap_or_default())
}

/// The same at the standard door, whose bodies hold what RFC 6749 names and nothing else.
pub(crate) fn method_not_allowed_at_standard(method: &Method, issuer: &str) -> Response {
    const ALLOWED: &str = "POST";
    let body = described_body(Code::InvalidRequest, unsupported(method, ALLOWED), issuer);
    refuse_method(method, ALLOWED, body)
}

fn unsupported(method: &Method, allowed: &str) -> String {
    format!("The {method} method is not supported for this route. Supported methods: {allowed}.")
}

fn refuse_method(method: &Method, allowed: &'static str, body: String) -> Response {
    let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// The answer to OPTIONS: what the address takes.
pub(crate) fn options(allowed: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(allowed))]).into_response()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn passport(code: Code, parameter: Option<&str>) -> String {
        passport_body(code, parameter, ErrorStyle::Passport12)
    }

    #[test]
    fn passport_bodies_are_what_a_real_passport_sent() {
        insta::assert_snapshot!(passport(Code::InvalidClient, None), @r#"{"error":"invalid_client","error_description":"Client authentication failed","message":"Client authentication failed"}"#);
        insta::assert_snapshot!(passport(Code::UnsupportedGrantType, None), @r#"{"error":"unsupported_grant_type","error_description":"The authorization grant type is not supported by the authorization server.","hint":"Check that all required parameters have been provided","message":"The authorization grant type is not supported by the authorization server."}"#);
        insta::assert_snapshot!(passport(Code::InvalidScope, Some("<b>\"x'&/é")), @r#"{"error":"invalid_scope","error_description":"The requested scope is invalid, unknown, or malformed","hint":"Check the `&lt;b&gt;&quot;x&#039;&amp;\/\u00e9` scope","message":"The requested scope is invalid, unknown, or malformed"}"#);
    }

    #[test]
    fn passport_13_has_no_message() {
        let body = passport_body(Code::InvalidClient, None, ErrorStyle::Passport13);
        insta::assert_snapshot!(body, @r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#);
    }

    #[test]
    fn standard_descriptions_hold_only_what_rfc_6749_allows() {
        let body = standard_body(Code::InvalidScope, Some("a\"b\\c\u{e9}\r\nd"), "https://a");
        insta::assert_snapshot!(body, @r#"{"error":"invalid_scope","error_description":"the scope abcd is malformed, unknown or not granted","error_uri":"https://a/docs#invalid_scope"}"#);
    }
}
