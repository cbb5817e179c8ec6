//! This file is where the bodies of the standard door's failures are written, with what RFC 6749 section 5.2 allows.

use gatepost_operations::core::refusal::Code;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: String,
    error_uri: String,
}

/// The body of a refusal.
pub(super) fn body(code: Code, parameter: Option<&str>, issuer: &str) -> String {
    let description = match (code, parameter) {
        (Code::InvalidRequest, Some(name)) => format!("check the parameter {}", printable(name)),
        (Code::InvalidScope, Some(scope)) => {
            format!("the scope {} is malformed, unknown or not granted", printable(scope))
        }
        _ => text(code).to_owned(),
    };
    described(code, description, issuer)
}

/// The body of what is told in these words.
pub(super) fn described(code: Code, error_description: String, issuer: &str) -> String {
    let error = code.as_str();
    let body = Body { error, error_description, error_uri: format!("{issuer}/docs#{error}") };
    serde_json::to_string(&body).unwrap_or_default()
}

const fn text(code: Code) -> &'static str {
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
            "too many tokens were asked for, or authentication failed too often; wait as long as Retry-After says"
        }
        Code::TemporarilyUnavailable => {
            "the server can not handle the request at the moment; try again shortly"
        }
        Code::ServerError => "something broke here; the operator can find it by the request id",
    }
}

/// Leaves what RFC 6749 section 5.2 allows in `error_description`, at most 100 characters of it.
fn printable(given: &str) -> String {
    let allowed = |c: &char| matches!(c, '\u{20}' | '\u{21}' | '\u{23}'..='\u{5B}' | '\u{5D}'..='\u{7E}');
    given.chars().filter(allowed).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_descriptions_hold_only_what_rfc_6749_allows() {
        let body = body(Code::InvalidScope, Some("a\"b\\c\u{e9}\r\nd"), "https://a");
        insta::assert_snapshot!(body, @r#"{"error":"invalid_scope","error_description":"the scope abcd is malformed, unknown or not granted","error_uri":"https://a/docs#invalid_scope"}"#);
    }
}
