//! This file is where the credentials of a request are found, in its parameters or its Authorization header.
//!
//! The origin door looks each parameter up in the body first and in Basic second.
//! The standard door accepts exactly one method (RFC 6749 section 2.3). Assertions are read there only: the origin door
//! is what Laravel Passport is, and that knows none.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gatepost_operations::core::clients::methods::private_key_jwt::ASSERTION_TYPE;
use gatepost_operations::core::clients::methods::{Assertion, Presented, secret_basic, secret_post};
use gatepost_operations::core::params::{Door, Params, Value};
use gatepost_operations::core::refusal::{Code, Refusal};

/// Finds what a request brought to prove who sends it.
pub(crate) fn find(door: Door, headers: &HeaderMap, params: &Params) -> Result<Presented, Refusal> {
    let basic = Basic::of(headers);
    match door {
        Door::Origin => origin(&basic, params),
        Door::Standard => standard(&basic, params),
    }
}

fn origin(basic: &Basic, params: &Params) -> Result<Presented, Refusal> {
    let from_header = match basic {
        Basic::Pair(id, secret) => Some((id.as_str(), secret.as_str())),
        Basic::Several => {
            return Err(Code::InvalidRequest.because("several Authorization headers").about("client_id"));
        }
        Basic::None | Basic::Unreadable => None,
    };
    let id = match params.find("client_id") {
        Some(Value::Text(id) | Value::Number(id)) => Some(id.as_str()),
        Some(Value::List(_) | Value::Null | Value::Other) => {
            return Err(Code::InvalidRequest.because("client_id is not text").about("client_id"));
        }
        None => from_header.map(|(id, _)| id).filter(|id| !id.is_empty()),
    };
    let id = id.ok_or_else(|| Code::InvalidRequest.because("no client_id").about("client_id"))?;

    match (params.text("client_secret")?, from_header) {
        (Some(secret), _) => Ok(secret_post(id, secret)),
        (None, Some((_, secret))) if !secret.is_empty() => Ok(secret_basic(id, secret)),
        (None, _) => Err(Code::InvalidClient.because("no client_secret")),
    }
}

fn standard(basic: &Basic, params: &Params) -> Result<Presented, Refusal> {
    let id = params.text("client_id")?;
    let secret = params.text("client_secret")?;
    let assertion = assertion(params)?;
    match (basic, secret, assertion) {
        (Basic::Several, _, _) => Err(Code::InvalidRequest.because("several Authorization headers")),
        (Basic::Unreadable, _, _) => Err(Code::InvalidClient.because("the Basic credentials can't be read")),
        (Basic::Pair(..), Some(_), _) | (Basic::Pair(..), _, Some(_)) | (_, Some(_), Some(_)) => {
            Err(Code::InvalidRequest.because("two client authentication methods"))
        }
        (Basic::Pair(user, password), None, None) => from_basic(user, password, id),
        (Basic::None, None, Some(assertion)) => Assertion::read(assertion, id).map(Presented::Assertion),
        (Basic::None, Some(secret), None) => id
            .map(|id| secret_post(id, secret))
            .ok_or_else(|| Code::InvalidClient.because("a client_secret without client_id")),
        (Basic::None, None, None) => Err(Code::InvalidClient.because("no client credentials")),
    }
}

fn from_basic(user: &str, password: &str, id: Option<&str>) -> Result<Presented, Refusal> {
    let presented = secret_basic(user, password);
    if id.is_some_and(|id| !presented.client_ids().contains(&id)) {
        let why = "client_id is not the one of the Basic credentials";
        return Err(Code::InvalidRequest.because(why).about("client_id"));
    }
    // Nothing was tried with it, so it must not count as a failure.
    if password.is_empty() {
        return Err(Code::InvalidClient.because("the Basic credentials hold an empty secret"));
    }
    Ok(presented)
}

/// The assertion of RFC 7521 section 4.2, whose two parameters come together or not at all.
fn assertion(params: &Params) -> Result<Option<&str>, Refusal> {
    match (params.text("client_assertion")?, params.text("client_assertion_type")?) {
        (None, None) => Ok(None),
        (Some(assertion), Some(ASSERTION_TYPE)) => Ok(Some(assertion)),
        (Some(_), Some(_)) => {
            Err(Code::InvalidClient.because("client_assertion_type is none that is accepted here"))
        }
        (Some(_), None) => {
            Err(Code::InvalidRequest.because("no client_assertion_type").about("client_assertion_type"))
        }
        (None, Some(_)) => Err(Code::InvalidRequest.because("no client_assertion").about("client_assertion")),
    }
}

/// What the Authorization header says, as far as it is Basic (RFC 7617).
pub(super) enum Basic {
    None,
    Several,
    Unreadable,
    Pair(String, String),
}

/// Some clients leave the padding away, some write it: both are read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Basic {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(first) = values.next() else {
            return Self::None;
        };
        if values.next().is_some() {
            return Self::Several;
        }
        let Ok(text) = first.to_str() else {
            return Self::Unreadable;
        };
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return Self::None;
        }
        let decoded =
            BASE64.decode(rest.trim_matches(' ')).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        pair.map_or(Self::Unreadable, |(id, secret)| Self::Pair(id.to_owned(), secret.to_owned()))
    }
}
