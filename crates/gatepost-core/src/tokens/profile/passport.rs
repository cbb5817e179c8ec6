//! This file is where the origin page's token shape is written, byte for byte as Laravel Passport writes it.

use std::fmt::Write as _;

use gatepost_jose::KeyId;
use gatepost_jose::key_in_jti::JTI_BYTES;

use super::{Minting, TokenClaims, push_json};
use crate::apis::profile::{PassportOptions, Timestamps};
use crate::grants::Grant;
use crate::time::Timestamp;

pub(super) fn header(options: &PassportOptions, kid: &KeyId) -> String {
    if options.kid {
        format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#)
    } else {
        r#"{"typ":"JWT","alg":"RS256"}"#.to_owned()
    }
}

pub(super) fn claims(options: &PassportOptions, grant: &Grant, minting: &Minting) -> TokenClaims {
    let client = &grant.client.client;
    let jti = jti(options, minting);
    // Passport takes the expiry first and `nbf` a few microseconds after `iat`; readers of the shape see that order.
    let expires = minting.started.after(grant.lifetime.duration());
    let issued = minting.now.max(minting.started);
    let not_before = match options.timestamps {
        Timestamps::Micros => issued.after(NBF_AFTER_IAT),
        Timestamps::Seconds => issued,
    };

    let mut json = String::with_capacity(512);
    json.push_str(r#"{"aud":"#);
    push_json(&mut json, client.id.as_str());
    json.push_str(r#","jti":""#);
    json.push_str(&jti);
    json.push('"');
    for (name, instant) in [("iat", issued), ("nbf", not_before), ("exp", expires)] {
        push_date(&mut json, options, name, instant);
    }
    json.push_str(r#","sub":"#);
    push_json(&mut json, if options.puts_client_into_sub() { client.id.as_str() } else { "" });
    json.push_str(r#","scopes":["#);
    for (at, scope) in grant.scopes.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        push_json(&mut json, scope.as_str());
    }
    let (user, partner, test) = (client.user_id.0, client.partner_id.0, client.is_test);
    let _ = write!(json, r#"],"user_id":"{user}","partner_id":"{partner}","is_test":{test}}}"#);

    TokenClaims { json, jti, expires }
}

const NBF_AFTER_IAT: std::time::Duration = std::time::Duration::from_micros(2);

/// The bytes as hex: chance, of which the last 32 digits name the key. Where dates are whole seconds the first 12 digits
/// are the time in milliseconds, so that "issued before" can be told finer than a second.
fn jti(options: &PassportOptions, minting: &Minting) -> String {
    let mut jti = String::with_capacity(2 * JTI_BYTES);
    for byte in minting.random {
        let _ = write!(jti, "{byte:02x}");
    }
    if options.timestamps == Timestamps::Seconds {
        let time = format!("{:012x}", minting.now.millis() & 0xFFFF_FFFF_FFFF);
        jti.replace_range(..12, &time);
    }
    jti
}

/// Writes a date without trailing zeros: `1710220031.583112`, `1710220031.5`, `1710220031`.
fn push_date(json: &mut String, options: &PassportOptions, name: &str, instant: Timestamp) {
    let seconds = instant.seconds();
    let fraction = instant.micros().rem_euclid(1_000_000);
    let _ = write!(json, r#","{name}":{seconds}"#);
    if options.timestamps == Timestamps::Micros && fraction != 0 {
        let digits = format!("{fraction:06}");
        json.push('.');
        json.push_str(digits.trim_end_matches('0'));
    }
}
