//! This file is where a guard that could not keep its promise is refused before it serves.

use std::time::Duration;

use gatepost_guard::{ConfigError, FixedKeys, Guard, JwksUrl};

use crate::jwks_server::set;
use crate::mint::{AUDIENCE, ISSUER, Profile, fixed, key};

fn keys() -> FixedKeys {
    fixed(&[key()])
}

#[test]
fn a_guard_says_which_tokens_it_takes_and_by_which_keys() {
    for (builder, expected) in [
        (Guard::builder(), ConfigError::NoProfile),
        (Guard::builder().keys(keys()), ConfigError::NoProfile),
        (Guard::builder().rfc9068(ISSUER, AUDIENCE), ConfigError::NoKeys),
        (Guard::builder().rfc9068("", AUDIENCE).keys(keys()), ConfigError::NoIssuer),
        (Guard::builder().rfc9068(ISSUER, "").keys(keys()), ConfigError::NoAudience),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
}

#[test]
fn settings_that_would_open_the_gate_are_refused() {
    for (builder, expected) in [
        (Profile::Rfc9068.guard(keys()).leeway(Duration::from_secs(301)), ConfigError::Leeway),
        (Profile::Rfc9068.guard(keys()).max_lifetime(Duration::ZERO), ConfigError::MaxLifetime),
        (Profile::Rfc9068.guard(keys()).realm("a\"b"), ConfigError::Realm),
        (Profile::Rfc9068.guard(keys()).realm("a\r\nb"), ConfigError::Realm),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
}

#[test]
fn the_passport_profile_is_pinned_to_the_keys_of_one_api() {
    let all = JwksUrl::new("https://auth.example.com/.well-known/jwks.json").unwrap();
    let one = JwksUrl::of_api("https://auth.example.com", "bookings").unwrap();

    assert_eq!(Guard::builder().passport(all.clone()).build().unwrap_err(), ConfigError::SharedKeys);
    assert!(Guard::builder().passport(one).build().is_ok());
    assert!(Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(all).build().is_ok());
}

#[test]
fn the_address_of_an_apis_keys_is_made_from_issuer_and_name() {
    for (issuer, name, expected) in [
        (
            "https://auth.example.com",
            "bookings",
            "https://auth.example.com/.well-known/jwks/bookings.json?all=1",
        ),
        ("https://example.com/auth/", "a b", "https://example.com/auth/.well-known/jwks/a%20b.json?all=1"),
        ("https://example.com", "../x", "https://example.com/.well-known/jwks/..%2Fx.json?all=1"),
    ] {
        let shown = format!("{:?}", JwksUrl::of_api(issuer, name).unwrap());
        assert!(shown.contains(expected), "{shown}");
    }
    assert!(JwksUrl::of_api("http://auth.example.com", "bookings").is_err());
}

#[test]
fn keys_may_come_from_a_file() {
    let keys = FixedKeys::from_jwks(set(&[key()]).as_bytes()).unwrap();

    assert!(Guard::builder().passport(keys).build().is_ok());
    assert!(FixedKeys::from_jwks(b"[]").is_err());
}

#[test]
fn every_refused_setting_says_how_to_mend_it() {
    for error in
        [ConfigError::NoProfile, ConfigError::NoKeys, ConfigError::SharedKeys, ConfigError::NoAudience]
    {
        let text = error.to_string();
        assert!(["call", "give", "use"].iter().any(|verb| text.contains(verb)), "{text}");
    }
}
