//! This file is where a token is judged for who asks by command: by the keys of its API, by what its profile demands,
//! and by what was revoked.
//!
//! It is the same definition of "valid" as the guard's, and what was revoked is refused as introspection refuses it.

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::profile::Profile;
use gatepost_jose::verify::{Candidates, Keys, verify};
use gatepost_jose::{Claims, Expectation, Expected, Header, Micros, PublicKey, Rejection, Verified};

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
    let issued = Timestamp::from_micros(issued_millis(jti, iat).saturating_mul(1_000));
    let partner = claims.partner_id.as_deref();
    gate.revocations.now().covers(&IssuedTo { jti, client, partner, issued })
        || gate.expiries.have_ended(client, partner, gate.clock.now())
}

/// When it was issued, in milliseconds; where dates are whole seconds, the id begins with the finer time.
fn issued_millis(jti: &str, iat: Micros) -> i64 {
    let digits: String = jti.chars().filter(|c| *c != '-').take(12).collect();
    let named = i64::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 12 && iat.is_whole_second());
    let of_that_second = |millis: &i64| millis.div_euclid(1_000) == iat.seconds();
    named.filter(of_that_second).unwrap_or_else(|| iat.0.div_euclid(1_000))
}

fn judge_for(gate: &Gate, api: &ApiWithScopes, token: &str) -> Result<Verified, Rejection> {
    let ring = gate.ring();
    let keys = ring.keys_of(api.api.id).map_or(&[][..], |keys| &keys.verifying);
    let (profile, must_name) = match &api.api.profile {
        // With `kid` or without: what was issued before that was switched stays good.
        Profile::Passport(_) => (Expected::Passport, false),
        Profile::Rfc9068 => {
            let issuer = gate.issuer.as_str().to_owned();
            (Expected::Rfc9068 { issuer, audience: api.api.audience.as_str().to_owned() }, true)
        }
    };
    let verified = verify(token, &OfApi { keys, must_name })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_makes_whole_seconds_finer_and_nothing_else() {
        const SECOND: i64 = 1_710_220_031_000_000;
        let uuid = "018e310e-b6c7-7000-8000-000000000000";
        for (jti, iat, millis) in [
            (uuid, SECOND, 1_710_220_031_687),
            (uuid, SECOND + 583_112, 1_710_220_031_583),
            (uuid, SECOND + 1_000_000, 1_710_220_032_000),
            ("short", SECOND, 1_710_220_031_000),
        ] {
            assert_eq!(issued_millis(jti, Micros(iat)), millis, "{jti} {iat}");
        }
    }
}
