//! This file is where a token is verified at the command line: by the keys of its API and what its profile demands.
//!
//! It is the same definition of "valid" as the guard's, and what was revoked is refused as introspection refuses it.

use gatepost_operations::apis;
use gatepost_operations::clock;
use gatepost_operations::core::apis::ApiWithScopes;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::core::tokens::profile::Profile;
use gatepost_operations::gate::Gate;
use gatepost_operations::jose::verify::{Candidates, Keys, verify};
use gatepost_operations::jose::{
    Claims, Expectation, Expected, Header, Micros, PublicKey, Rejection, Verified,
};
use gatepost_operations::revocations::IssuedTo;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::commands::desk::Desk;
use crate::ending::{Exit, Trouble};

/// A token that is valid, as it is printed.
#[derive(Serialize)]
struct Valid<'a> {
    valid: bool,
    api: String,
    kid: &'a str,
    client_id: Option<&'a str>,
    partner_id: Option<&'a str>,
    is_test: Option<bool>,
    scopes: &'a [String],
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a RawValue>,
}

/// Verifies a token for the API of that name, or for the one whose key signed it.
pub(super) fn run(desk: &Desk, api: Option<&str>, token: &str) -> Result<(), Trouble> {
    // A name that no API has is told as such, before the token is looked at.
    let wanted = api.map(|name| apis::show(&desk.gate, name)).transpose()?.map(|api| api.name);
    let (api, verified) = judge(&desk.gate, wanted.as_deref(), token).map_err(refused)?;
    let claims = verified.claims();
    if is_revoked(&desk.gate, claims) {
        return Err(revoked());
    }
    // Claims that were verified are JSON; for people their members stand above already.
    let raw = if desk.output.is_json() { serde_json::from_str(&claims.raw).ok() } else { None };
    desk.output.show(&Valid {
        valid: true,
        api,
        kid: verified.kid().as_str(),
        client_id: claims.client_id.as_deref().or(claims.aud.first().map(String::as_str)),
        partner_id: claims.partner_id.as_deref(),
        is_test: claims.is_test,
        scopes: &claims.scopes,
        expires: claims.exp.map(|at| clock::written(Timestamp::from_micros(at.0))),
        claims: raw,
    })
}

/// Whether it was revoked itself, or all that its client or partner had got by then.
fn is_revoked(gate: &Gate, claims: &Claims) -> bool {
    let client = claims.client_id.as_deref().or(claims.aud.first().map(String::as_str));
    let (Some(jti), Some(client), Some(iat)) = (claims.jti.as_deref(), client, claims.iat) else {
        return false;
    };
    let issued = Timestamp::from_micros(issued_millis(jti, iat).saturating_mul(1_000));
    let partner = claims.partner_id.as_deref();
    gate.revocations.now().covers(&IssuedTo { jti, client, partner, issued })
}

/// When it was issued, in milliseconds; where dates are whole seconds, the id begins with the finer time.
fn issued_millis(jti: &str, iat: Micros) -> i64 {
    let digits: String = jti.chars().filter(|c| *c != '-').take(12).collect();
    let named = i64::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 12 && iat.is_whole_second());
    let of_that_second = |millis: &i64| millis.div_euclid(1_000) == iat.seconds();
    named.filter(of_that_second).unwrap_or_else(|| iat.0.div_euclid(1_000))
}

/// The API that the token is for; else the reason that tells most, with the API that gave it.
pub(super) fn judge(
    gate: &Gate,
    wanted: Option<&str>,
    token: &str,
) -> Result<(String, Verified), (String, Rejection)> {
    let ring = gate.ring();
    let among = ring.apis().iter().filter(|api| wanted.is_none_or(|name| api.api.name.as_str() == name));
    let mut refused: Option<(String, Rejection)> = None;
    for api in among {
        let name = api.api.name.as_str().to_owned();
        match judge_for(gate, api, token) {
            Ok(verified) => return Ok((name, verified)),
            Err(rejection) if refused.as_ref().is_none_or(|(_, known)| is_about_keys(*known)) => {
                refused = Some((name, rejection));
            }
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(|| ("none".to_owned(), Rejection::KeyUnknown)))
}

fn judge_for(gate: &Gate, api: &ApiWithScopes, token: &str) -> Result<Verified, Rejection> {
    let ring = gate.ring();
    let keys = ring.keys_of(api.api.id).map_or(&[][..], |keys| &keys.verifying);
    let verified = verify(token, &OfApi { keys, named: api.api.profile.names_key() })?;

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
    named: bool,
}

impl Keys for OfApi<'_> {
    fn candidates(&self, header: &Header) -> Candidates {
        match header.kid.as_deref() {
            Some(kid) => self.keys.iter().filter(|key| key.kid().as_str() == kid).cloned().collect(),
            None if self.named => Candidates::none(),
            None => self.keys.iter().cloned().collect(),
        }
    }
}

/// Whether it only says that the token is not this API's.
fn is_about_keys(rejection: Rejection) -> bool {
    let keys =
        [Rejection::KeyIdMissing, Rejection::KeyUnknown, Rejection::AlgorithmMismatch, Rejection::Signature];
    keys.contains(&rejection)
}

fn revoked() -> Trouble {
    Trouble {
        exit: Exit::SaidNo,
        code: "revoked",
        what: "the token is refused".to_owned(),
        why: "it was revoked, or all that its client or partner had got by then".to_owned(),
        fix: "get a new one, if its client may still have one; see `gatepost client show CLIENT`".to_owned(),
    }
}

pub(super) fn refused((api, rejection): (String, Rejection)) -> Trouble {
    Trouble {
        exit: Exit::SaidNo,
        code: rejection.code(),
        what: "the token is refused".to_owned(),
        why: format!("{rejection} (judged for the API {api})"),
        fix: "see what it says with `gatepost token inspect`, or get a new one".to_owned(),
    }
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
