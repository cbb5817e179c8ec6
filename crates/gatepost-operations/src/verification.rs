//! This file is where a token is judged for who asks by command: by the keys of its API, by what its profile demands,
//! and by what was revoked.
//!
//! It is the same definition of "valid" as the guard's, and what was revoked is refused as introspection refuses it.

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::profile::Profile;
use gatepost_jose::claims::issued_millis;
use gatepost_jose::verify::{Candidates, Keys, verify};
use gatepost_jose::{Claims, Expectation, Expected, Header, PublicKey, Rejection, Verified};

use crate::gate::Gate;
use crate::revocations::IssuedTo;

/// A token that is one of ours and has not expired.
#[derive(Debug)]
pub struct Judged {
    /// The name of the API that it is for.
    pub api: String,
    /// What it says.
    pub verified: Verified,
}

/// Why a token is not good.
#[derive(Debug)]
pub enum NotGood {
    /// It is no valid token of the API.
    Rejected {
        /// The name of the API that it was judged for.
        api: String,
        /// The reason.
        rejection: Rejection,
    },
    /// It was revoked, or all that its client or partner had got by then, or one of them has expired.
    Revoked,
}

/// The token for the API of that name, or for the one whose key signed it, if it is valid and was not revoked.
pub fn good(gate: &Gate, wanted: Option<&str>, token: &str) -> Result<Judged, NotGood> {
    let judged = judge(gate, wanted, token)?;
    if is_revoked(gate, judged.verified.claims()) { Err(NotGood::Revoked) } else { Ok(judged) }
}

/// The API that the token is for, whether it was revoked or not; else the reason that tells most.
pub fn judge(gate: &Gate, wanted: Option<&str>, token: &str) -> Result<Judged, NotGood> {
    let ring = gate.ring();
    let among = ring.apis().iter().filter(|api| wanted.is_none_or(|name| api.api.name.as_str() == name));
    let mut refused: Option<(String, Rejection)> = None;
    for api in among {
        let name = api.api.name.as_str().to_owned();
        match judge_for(gate, api, token) {
            Ok(verified) => return Ok(Judged { api: name, verified }),
            Err(rejection) if refused.as_ref().is_none_or(|(_, known)| is_about_keys(*known)) => {
                refused = Some((name, rejection));
            }
            Err(_) => {}
        }
    }
    let (api, rejection) = refused.unwrap_or_else(|| ("none".to_owned(), Rejection::KeyUnknown));
    Err(NotGood::Rejected { api, rejection })
}

/// Whether it was revoked itself, or all that its client or partner had got by then, or one of them has expired.
fn is_revoked(gate: &Gate, claims: &Claims) -> bool {
    let client = claims.client_id.as_deref().or(claims.aud.first().map(String::as_str));
    let (Some(jti), Some(client), Some(iat)) = (claims.jti.as_deref(), client, claims.iat) else {
        return false;
    };
    let millis = i64::try_from(issued_millis(iat, jti)).unwrap_or(i64::MAX);
    let issued = Timestamp::from_micros(millis.saturating_mul(1_000));
    let partner = claims.partner_id.as_deref();
    gate.revocations.now().covers(&IssuedTo { jti, client, partner, issued })
        || gate.expiries.have_ended(client, partner, gate.clock.now())
}

fn judge_for(gate: &Gate, api: &ApiWithScopes, token: &str) -> Result<Verified, Rejection> {
    let ring = gate.ring();
    let keys = ring.keys_of(api.api.id).map_or(&[][..], |keys| &keys.verifying);
    let verified = verify(token, &OfApi { keys, must_name: !api.api.profile.may_leave_out_kid() })?;

    let profile = match &api.api.profile {
        Profile::Passport(_) => Expected::Passport,
        Profile::Rfc9068 => Expected::Rfc9068 {
            issuer: gate.issuer.as_str().to_owned(),
            audience: api.api.audience.as_str().to_owned(),
        },
    };
    let tokens = &gate.config.tokens;
    let expectation = Expectation { profile, leeway: tokens.leeway, max_lifetime: tokens.max_lifetime };
    expectation.check(&verified, gate.clock.now().into())?;
    Ok(verified)
}

/// The keys of one API, as its guards hold them.
struct OfApi<'a> {
    keys: &'a [PublicKey],
    /// Whether the header must name one.
    must_name: bool,
}

impl Keys for OfApi<'_> {
    fn candidates(&self, header: &Header) -> Candidates<'_> {
        match header.kid.as_deref() {
            Some(kid) => self.keys.iter().filter(|key| key.kid().as_str() == kid).cloned().collect(),
            None if self.must_name => Candidates::none(),
            None => Candidates::all(self.keys),
        }
    }
}

/// Whether it only says that the token is not this API's.
fn is_about_keys(rejection: Rejection) -> bool {
    let keys =
        [Rejection::KeyIdMissing, Rejection::KeyUnknown, Rejection::AlgorithmMismatch, Rejection::Signature];
    keys.contains(&rejection)
}
