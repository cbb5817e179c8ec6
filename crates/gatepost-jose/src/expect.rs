//! This file is where a token profile says what the claims must be at a point in time (RFC 9068 section 4).

use std::time::Duration;

use crate::claims::{Claims, ScopeForm};
use crate::error::Rejection;
use crate::micros::Micros;
use crate::verify::{Header, Verified};

const MAX_ID_BYTES: usize = 255;
/// How far in the future another machine's clock may have issued a token.
const MAX_ISSUED_AHEAD: Duration = Duration::from_secs(60);

/// What is expected of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The token profile.
    pub profile: Expected,
    /// How far the clocks of issuer and verifier may be apart.
    pub leeway: Duration,
    /// The longest lifetime that is believed.
    pub max_lifetime: Duration,
}

/// The token profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// JWT access tokens of RFC 9068.
    Rfc9068 {
        /// The issuer, letter for letter.
        issuer: String,
        /// The audience that must be among the token's.
        audience: String,
    },
    /// Tokens as Laravel Passport writes them. They have no issuer and name the client as audience, so the keys
    /// must be pinned to those of one API: nothing else in them says what they are for.
    Passport,
}

impl Expectation {
    /// With the usual leeway (60 s) and longest lifetime (24 h).
    #[must_use]
    pub fn new(profile: Expected) -> Self {
        Self { profile, leeway: Duration::from_secs(60), max_lifetime: Duration::from_secs(24 * 60 * 60) }
    }

    /// Judges the header's type and the claims; the first rule that is broken answers.
    pub fn check(&self, verified: &Verified, now: Micros) -> Result<(), Rejection> {
        let claims = verified.claims();
        match &self.profile {
            Expected::Rfc9068 { issuer, audience } => rfc9068(verified.header(), claims, issuer, audience)?,
            Expected::Passport => passport(verified)?,
        }
        if claims.has_cnf {
            return Err(Rejection::Bound);
        }
        require_id(claims.jti.as_deref()).ok_or(Rejection::TokenId)?;
        self.dates(claims, now)
    }

    fn dates(&self, claims: &Claims, now: Micros) -> Result<(), Rejection> {
        let (Some(exp), Some(iat)) = (claims.exp, claims.iat) else {
            return Err(Rejection::DateMissing);
        };
        if exp <= now.saturating_sub(self.leeway) {
            return Err(Rejection::Expired);
        }
        if claims.nbf.is_some_and(|nbf| nbf > now.saturating_add(self.leeway)) {
            return Err(Rejection::NotYetValid);
        }
        if iat > now.saturating_add(MAX_ISSUED_AHEAD) {
            return Err(Rejection::IssuedInFuture);
        }
        let too_long = exp > iat.saturating_add(self.max_lifetime);
        let out_of_order = iat > exp || claims.nbf.is_some_and(|nbf| nbf > exp);
        if too_long || out_of_order { Err(Rejection::Lifetime) } else { Ok(()) }
    }
}

fn rfc9068(header: &Header, claims: &Claims, issuer: &str, audience: &str) -> Result<(), Rejection> {
    if !header.typ.as_deref().is_some_and(is_access_token_type) {
        return Err(Rejection::Type);
    }
    if header.kid.is_none() {
        return Err(Rejection::KeyIdMissing);
    }
    if claims.iss.as_deref() != Some(issuer) {
        return Err(Rejection::Issuer);
    }
    if !claims.aud.iter().any(|named| named == audience) {
        return Err(Rejection::Audience);
    }
    require_id(claims.sub.as_deref()).ok_or(Rejection::Subject)?;
    require_id(claims.client_id.as_deref()).ok_or(Rejection::ClientId)?;
    if claims.scope_form == ScopeForm::Array {
        return Err(Rejection::Scope);
    }
    let dates = [claims.exp, claims.nbf, claims.iat];
    if dates.into_iter().flatten().all(Micros::is_whole_second) {
        Ok(())
    } else {
        Err(Rejection::DateFraction)
    }
}

/// Media types are compared without regard to case, and `application/` may be left out (RFC 9068 section 2.1).
fn is_access_token_type(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt")
}

fn passport(verified: &Verified) -> Result<(), Rejection> {
    let (header, claims) = (verified.header(), verified.claims());
    if header.typ.as_deref() != Some("JWT") {
        return Err(Rejection::Type);
    }
    if header.kid.as_deref().is_some_and(|kid| kid != verified.kid().as_str()) {
        return Err(Rejection::KeyUnknown);
    }
    if claims.iss.is_some() {
        return Err(Rejection::Issuer);
    }
    let client_id = passport_client(claims).ok_or(Rejection::Audience)?;
    if claims.client_id.as_deref().is_some_and(|named| named != client_id) {
        return Err(Rejection::ClientId);
    }
    if !claims.sub.as_deref().is_some_and(|sub| sub.is_empty() || sub == client_id) {
        return Err(Rejection::Subject);
    }
    if claims.scope_form == ScopeForm::Text { Err(Rejection::Scope) } else { Ok(()) }
}

/// The client of a passport token is its only audience, written as a text.
fn passport_client(claims: &Claims) -> Option<&str> {
    if claims.aud_was_array {
        return None;
    }
    require_id(claims.aud.first().map(String::as_str))
}

fn require_id(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES)
}
