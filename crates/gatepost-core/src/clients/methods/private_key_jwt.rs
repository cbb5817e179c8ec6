//! This file is where client assertions are read and judged (RFC 7523 section 3 and its successor draft rfc7523bis).
//!
//! An assertion is believed when a key of the client signed it, when it says that the client speaks of itself to this
//! issuer and to nobody else, when it lives no longer than minutes, and once.

use std::time::Duration;

use gatepost_jose::verify::claimed_subject;
use gatepost_jose::{Claims, Header, Micros, Rejection, Verified};

use crate::ids::ClientId;
use crate::refusal::{Code, Refusal};
use crate::secret::Secret;
use crate::time::Timestamp;

/// What `client_assertion_type` must be (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A longer assertion is refused before anything of it is read.
const MAX_BYTES: usize = 8 * 1024;
/// How far ahead an assertion may expire: so long its id is remembered.
const MAX_LIFE: Duration = Duration::from_secs(5 * 60);
/// How far ahead a client's clock may be whatever the leeway is, and how far at the most (FAPI 2.0).
const AHEAD: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];
const MAX_ID_BYTES: usize = 255;

/// A client assertion as presented: of the right form, nothing of it verified.
#[derive(Debug)]
pub struct Assertion {
    text: Secret,
    header: Header,
    client_id: String,
}

impl Assertion {
    /// Reads an assertion; a `client_id` sent beside it must be the one it speaks of (RFC 7521 section 4.2).
    pub fn read(text: &str, client_id: Option<&str>) -> Result<Self, Refusal> {
        if text.len() > MAX_BYTES {
            return Err(Code::InvalidClient.because("the assertion is longer than 8 KiB"));
        }
        let header = Header::peek(text).map_err(rejected)?;
        if !header.typ.as_deref().is_none_or(is_assertion_type) {
            return Err(Code::InvalidClient.because("the assertion's typ is that of another kind of token"));
        }
        let subject = claimed_subject(text).map_err(rejected)?.filter(|subject| !subject.is_empty());
        let Some(subject) = subject else {
            return Err(Code::InvalidClient.because("the assertion names no subject"));
        };
        if client_id.is_some_and(|sent| sent != subject) {
            return Err(Code::InvalidClient.because("client_id is not the subject of the assertion"));
        }
        Ok(Self { text: Secret::new(text.to_owned()), header, client_id: subject })
    }

    /// Whom it says it speaks for; not yet known to be true.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What its header says of itself; not yet known to be true.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn expose(&self) -> &str {
        self.text.expose()
    }
}

/// `JWT`, as all have written it, or the explicit type of rfc7523bis; an access token is neither.
fn is_assertion_type(typ: &str) -> bool {
    let typ = typ
        .get(..12)
        .filter(|prefix| prefix.eq_ignore_ascii_case("application/"))
        .map_or(typ, |_| typ.get(12..).unwrap_or_default());
    typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("client-authentication+jwt")
}

/// What this server takes for an assertion that is meant for it.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// The audience that an assertion must name.
    pub issuer: &'a str,
    /// Another one that it may name instead, for clients that know only the endpoint's address.
    pub token_endpoint: Option<String>,
    /// How far the clocks may be apart.
    pub leeway: Duration,
}

/// What makes an assertion one of a kind, and how long that must be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneUse {
    pub(crate) jti: String,
    pub(crate) until: Timestamp,
}

impl Terms<'_> {
    /// Judges the claims of an assertion whose signature was verified.
    pub(crate) fn check(
        &self,
        verified: &Verified,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<OneUse, Refusal> {
        let claims = verified.claims();
        let names_client = |claim: &Option<String>| claim.as_deref() == Some(client.as_str());
        if !names_client(&claims.iss) || !names_client(&claims.sub) {
            return Err(Code::InvalidClient.because("the assertion's iss and sub are not both the client id"));
        }
        if !self.is_meant(claims) {
            return Err(Code::InvalidClient.because("the assertion's aud is not this issuer alone"));
        }
        let until = self.last_moment(claims, now)?;
        let jti = claims.jti.as_deref().filter(|jti| is_id(jti));
        let jti = jti.ok_or_else(|| {
            Code::InvalidClient.because("the assertion's jti is not 1 to 255 printable characters")
        })?;
        Ok(OneUse { jti: jti.to_owned(), until })
    }

    fn is_meant(&self, claims: &Claims) -> bool {
        let [audience] = claims.aud.as_slice() else {
            return false;
        };
        audience == self.issuer || self.token_endpoint.as_ref() == Some(audience)
    }

    /// The moment from which on the dates alone make it refused.
    fn last_moment(&self, claims: &Claims, now: Timestamp) -> Result<Timestamp, Refusal> {
        let [least, most] = AHEAD;
        let latest_start = Micros::from(now.after(self.leeway.clamp(least, most)));
        let Some(exp) = claims.exp else {
            return Err(Code::InvalidClient.because("the assertion has no exp"));
        };
        if [claims.iat, claims.nbf].into_iter().flatten().any(|start| start > latest_start) {
            return Err(Code::InvalidClient.because("the assertion is of the future; set the client's clock"));
        }
        if exp > latest_start.saturating_add(MAX_LIFE) {
            return Err(Code::InvalidClient.because("the assertion's exp is more than 5 minutes ahead"));
        }
        let until = Timestamp::from_micros(exp.0).after(self.leeway);
        if until <= now {
            return Err(Code::InvalidClient.because("the assertion has expired"));
        }
        Ok(until)
    }
}

fn is_id(jti: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&jti.len()) && jti.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

pub(crate) fn rejected(rejection: Rejection) -> Refusal {
    Code::InvalidClient.because(format!("the assertion is refused: {rejection}"))
}
