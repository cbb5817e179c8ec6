//! This file is where verified claims become typed values; a claim of the wrong type is refused, never guessed.

use std::fmt;

use serde_json::value::RawValue;

use crate::error::Rejection;
use crate::strict_json::Object;

use crate::micros::Micros;

/// The claims of a token whose signature was verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// Issuer.
    pub iss: Option<String>,
    /// Subject.
    pub sub: Option<String>,
    /// Audiences; empty if the claim is missing.
    pub aud: Vec<String>,
    /// Whether the audience was written as an array.
    pub aud_was_array: bool,
    /// Expiry.
    pub exp: Option<Micros>,
    /// Not before.
    pub nbf: Option<Micros>,
    /// Issued at.
    pub iat: Option<Micros>,
    /// Token id.
    pub jti: Option<String>,
    /// Client id.
    pub client_id: Option<String>,
    /// Scopes, from the `scope` text or the `scopes` array.
    pub scopes: Vec<String>,
    /// How the scopes were written.
    pub scope_form: ScopeForm,
    /// The client's service user.
    pub user_id: Option<String>,
    /// The partner that the client belongs to.
    pub partner_id: Option<String>,
    /// Whether the client is a test client.
    pub is_test: Option<bool>,
    /// Whether the token is bound to a key or certificate (RFC 7800).
    pub has_cnf: bool,
    /// All claims as they were signed, for introspection.
    pub raw: String,
}

/// How a token writes its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScopeForm {
    /// Neither claim is there: no scopes.
    Absent,
    /// `scope`, separated by spaces (RFC 8693, RFC 9068).
    Text,
    /// `scopes`, an array (Passport).
    Array,
}

impl Claims {
    pub(crate) fn parse(json: Vec<u8>) -> Result<Self, Rejection> {
        let raw = String::from_utf8(json).map_err(|_| Rejection::ClaimsJson)?;
        let object = Object::parse(raw.as_bytes()).map_err(|_| Rejection::ClaimsJson)?;
        let (aud, aud_was_array) = audience(object.get("aud"))?;
        let (scopes, scope_form) = scopes(&object)?;
        let claims = Self {
            iss: text(object.get("iss"))?,
            sub: text(object.get("sub"))?,
            aud,
            aud_was_array,
            exp: date(object.get("exp"))?,
            nbf: date(object.get("nbf"))?,
            iat: date(object.get("iat"))?,
            jti: text(object.get("jti"))?,
            client_id: text(object.get("client_id"))?,
            scopes,
            scope_form,
            user_id: text_or_null(object.get("user_id"))?,
            partner_id: text_or_null(object.get("partner_id"))?,
            is_test: typed(object.get("is_test"))?,
            has_cnf: object.get("cnf").is_some(),
            raw: String::new(),
        };
        Ok(Self { raw, ..claims })
    }

    /// True if the token has this scope, letter for letter.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// Names of people and partners stay out of logs; only what is needed to follow a token is shown.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").field("jti", &self.jti).field("exp", &self.exp).finish_non_exhaustive()
    }
}

fn typed<'a, T: serde::Deserialize<'a>>(value: Option<&'a RawValue>) -> Result<Option<T>, Rejection> {
    let Some(value) = value else { return Ok(None) };
    serde_json::from_str(value.get()).map(Some).map_err(|_| Rejection::ClaimType)
}

fn text(value: Option<&RawValue>) -> Result<Option<String>, Rejection> {
    typed(value)
}

/// PHP issuers write `null` for a user or partner that a client doesn't have.
fn text_or_null(value: Option<&RawValue>) -> Result<Option<String>, Rejection> {
    Ok(typed::<Option<String>>(value)?.flatten())
}

fn date(value: Option<&RawValue>) -> Result<Option<Micros>, Rejection> {
    let Some(value) = value else { return Ok(None) };
    Micros::from_json(value.get()).map(Some)
}

fn audience(value: Option<&RawValue>) -> Result<(Vec<String>, bool), Rejection> {
    match value {
        Some(value) if value.get().starts_with('[') => Ok((typed(Some(value))?.unwrap_or_default(), true)),
        Some(_) => Ok((text(value)?.into_iter().collect(), false)),
        None => Ok((Vec::new(), false)),
    }
}

/// Two claims that may disagree about the scopes are one too many.
fn scopes(object: &Object<'_>) -> Result<(Vec<String>, ScopeForm), Rejection> {
    match (object.get("scope"), object.get("scopes")) {
        (None, None) => Ok((Vec::new(), ScopeForm::Absent)),
        (Some(scope), None) => {
            Ok((split(&typed::<String>(Some(scope))?.unwrap_or_default())?, ScopeForm::Text))
        }
        (None, Some(scopes)) => {
            Ok((each_a_scope(typed(Some(scopes))?.unwrap_or_default())?, ScopeForm::Array))
        }
        (Some(_), Some(_)) => Err(Rejection::ClaimType),
    }
}

/// Scopes are separated by one space (RFC 6749 section 3.3); an empty text is no scopes.
fn split(scope: &str) -> Result<Vec<String>, Rejection> {
    if scope.is_empty() {
        return Ok(Vec::new());
    }
    each_a_scope(scope.split(' ').map(str::to_owned).collect())
}

fn each_a_scope(scopes: Vec<String>) -> Result<Vec<String>, Rejection> {
    if scopes.iter().all(|scope| is_scope(scope)) { Ok(scopes) } else { Err(Rejection::Scope) }
}

/// `scope-token` of RFC 6749 section 3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// When a token was issued, in milliseconds since the epoch: revocations of clients and partners are known so exactly.
///
/// Dates in whole seconds are made finer by the token's id, where that begins with a time of the same second.
#[must_use]
pub fn issued_millis(issued: Micros, jti: &str) -> u64 {
    let named = if issued.is_whole_second() { millis_of_id(jti) } else { None };
    let second = u64::try_from(issued.seconds()).unwrap_or(0);
    let of_the_same_second = |millis: &u64| millis.checked_div(1_000) == Some(second);
    named.filter(of_the_same_second).unwrap_or_else(|| u64::try_from(issued.0.div_euclid(1_000)).unwrap_or(0))
}

/// The time that begins a UUID of version 7 (RFC 9562 section 5.7), or the 80 hex digits of the passport profile.
fn millis_of_id(jti: &str) -> Option<u64> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = match jti.len() {
        36 if jti.get(14..15) == Some("7") => format!("{}{}", jti.get(..8)?, jti.get(9..13)?),
        80 if is_hex(jti) => jti.get(..12)?.to_owned(),
        _ => return None,
    };
    if is_hex(&digits) { u64::from_str_radix(&digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_issue_is_known_to_the_millisecond() {
        const SECOND: i64 = 1_710_220_031_000_000;
        let passport = "018e310eb6c7".to_owned() + &"0".repeat(68);
        for (jti, issued, millis) in [
            // A fraction says it all.
            ("018e310e-b6c7-7000-8000-000000000000", SECOND + 583_112, 1_710_220_031_583),
            ("anything", SECOND + 583_112, 1_710_220_031_583),
            // Whole seconds are made finer by an id that begins with a time of that second.
            ("018e310e-b6c7-7000-8000-000000000000", SECOND, 1_710_220_031_687),
            (&passport, SECOND, 1_710_220_031_687),
            // Of another second, of another kind, or no time at all.
            ("018e310e-b6c7-7000-8000-000000000000", SECOND + 1_000_000, 1_710_220_032_000),
            ("018e310e-b6c7-4000-8000-000000000000", SECOND, 1_710_220_031_000),
            ("018e310e-b6+7-7000-8000-000000000000", SECOND, 1_710_220_031_000),
            ("", SECOND, 1_710_220_031_000),
            ("anything", -1, 0),
        ] {
            assert_eq!(issued_millis(Micros(issued), jti), millis, "{jti} {issued}");
        }
    }
}
