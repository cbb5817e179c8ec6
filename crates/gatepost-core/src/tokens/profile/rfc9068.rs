//! This file is where RFC 9068 access tokens are written.

use std::fmt::Write as _;

use gatepost_jose::{Algorithm, KeyId};
use uuid::{Builder, Uuid};

use super::{Minting, TokenClaims, push_json};
use crate::grants::Grant;
use crate::issuer::Issuer;
use crate::time::Timestamp;

pub(super) fn header(algorithm: Algorithm, kid: &KeyId) -> String {
    format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"{kid}"}}"#)
}

pub(super) fn claims(grant: &Grant, issuer: &Issuer, minting: &Minting) -> TokenClaims {
    let client = &grant.client.client;
    let jti = jti(minting).hyphenated().to_string();
    let issued = minting.now.seconds();
    let expires = issued.saturating_add(i64::from(grant.lifetime.seconds()));

    let mut json = String::with_capacity(512);
    json.push_str(r#"{"iss":"#);
    push_json(&mut json, issuer.as_str());
    json.push_str(r#","aud":"#);
    push_json(&mut json, grant.api.api.audience.as_str());
    json.push_str(r#","sub":"#);
    push_json(&mut json, client.id.as_str());
    json.push_str(r#","client_id":"#);
    push_json(&mut json, client.id.as_str());
    if !grant.scopes.is_empty() {
        json.push_str(r#","scope":"#);
        push_json(&mut json, &grant.scopes.joined());
    }
    let (partner, test) = (client.partner_id.0, client.is_test);
    let _ = write!(
        json,
        r#","jti":"{jti}","iat":{issued},"exp":{expires},"partner_id":"{partner}","is_test":{test}}}"#
    );

    let expires = Timestamp::from_micros(expires.saturating_mul(1_000_000));
    TokenClaims { json, jti, expires }
}

/// A UUIDv7: it begins with the issue time in milliseconds.
fn jti(minting: &Minting) -> Uuid {
    let mut random = [0; 10];
    random.iter_mut().zip(minting.random).for_each(|(to, from)| *to = from);
    Builder::from_unix_timestamp_millis(minting.now.millis(), &random).into_uuid()
}
