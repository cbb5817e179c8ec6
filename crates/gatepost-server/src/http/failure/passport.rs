//! This file is where the bodies of the origin door's failures are written as Laravel Passport writes them, to the byte.

use gatepost_operations::config::ErrorStyle;
use gatepost_operations::core::refusal::Code;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    error_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// The body of a refusal.
pub(super) fn body(code: Code, parameter: Option<&str>, style: ErrorStyle) -> String {
    let description = text(code);
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
    php_json(&Body { error: code.as_str(), error_description: description, hint, message })
}

const fn text(code: Code) -> &'static str {
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
fn html_escaped(given: &str) -> String {
    let mut escaped = String::with_capacity(given.len());
    for c in given.chars() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn passport(code: Code, parameter: Option<&str>) -> String {
        body(code, parameter, ErrorStyle::Passport12)
    }

    #[test]
    fn passport_bodies_are_what_a_real_passport_sent() {
        insta::assert_snapshot!(passport(Code::InvalidClient, None), @r#"{"error":"invalid_client","error_description":"Client authentication failed","message":"Client authentication failed"}"#);
        insta::assert_snapshot!(passport(Code::UnsupportedGrantType, None), @r#"{"error":"unsupported_grant_type","error_description":"The authorization grant type is not supported by the authorization server.","hint":"Check that all required parameters have been provided","message":"The authorization grant type is not supported by the authorization server."}"#);
        insta::assert_snapshot!(passport(Code::InvalidScope, Some("<b>\"x'&/é")), @r#"{"error":"invalid_scope","error_description":"The requested scope is invalid, unknown, or malformed","hint":"Check the `&lt;b&gt;&quot;x&#039;&amp;\/\u00e9` scope","message":"The requested scope is invalid, unknown, or malformed"}"#);
    }

    #[test]
    fn passport_13_has_no_message() {
        let body = body(Code::InvalidClient, None, ErrorStyle::Passport13);
        insta::assert_snapshot!(body, @r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#);
    }
}
