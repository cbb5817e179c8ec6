//! This file is where the claims of both profiles are judged, one rule a row.

use std::time::Duration;

use gatepost_jose::verify::{Verified, verify};
use gatepost_jose::{Algorithm, Expectation, Expected, Micros, Rejection, sign};
use serde_json::{Map, Value, json};

use crate::keyring::{Ring, claims, header, key};

const NOW: i64 = 1_710_220_031;

fn verified(header: &str, claims: &Map<String, Value>) -> Verified {
    let key = key(Algorithm::Es256);
    let token = sign::compact(key, header, &serde_json::to_string(claims).unwrap()).unwrap();
    verify(&token, &Ring::of(key)).unwrap()
}

fn rfc9068() -> Expectation {
    Expectation::new(Expected::Rfc9068 {
        issuer: "https://issuer.example".into(),
        audience: "https://api.example".into(),
    })
}

fn check(change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), Rejection> {
    let mut claims = claims();
    change(&mut claims);
    let verified = verified(&header(key(Algorithm::Es256)), &claims);
    rfc9068().check(&verified, Micros::from_seconds(NOW).unwrap())
}

fn set(claim: &'static str, value: Value) -> impl FnOnce(&mut Map<String, Value>) {
    move |claims| {
        claims.insert(claim.into(), value);
    }
}

fn without(claim: &'static str) -> impl FnOnce(&mut Map<String, Value>) {
    move |claims| {
        claims.remove(claim);
    }
}

#[test]
fn an_rfc9068_token_as_issued_is_valid() {
    assert_eq!(check(|_| ()), Ok(()));
    assert_eq!(check(set("aud", json!(["https://api.example", "https://other.example"]))), Ok(()));
    assert_eq!(check(without("scope")), Ok(()));
    assert_eq!(check(without("nbf")), Ok(()));
}

#[test]
fn issuer_and_audience_are_compared_letter_for_letter() {
    for issuer in
        ["https://issuer.example/", "https://ISSUER.example", "https://issuer.exampl", "", "https://evil"]
    {
        assert_eq!(check(set("iss", json!(issuer))), Err(Rejection::Issuer), "{issuer}");
    }
    assert_eq!(check(without("iss")), Err(Rejection::Issuer));
    for audience in [json!("https://api.example/"), json!([]), json!(["https://other.example"]), json!("")] {
        assert_eq!(check(set("aud", audience.clone())), Err(Rejection::Audience), "{audience}");
    }
    assert_eq!(check(without("aud")), Err(Rejection::Audience));
}

#[test]
fn subject_client_and_token_id_are_there_and_bounded() {
    for (claim, rejection) in
        [("sub", Rejection::Subject), ("client_id", Rejection::ClientId), ("jti", Rejection::TokenId)]
    {
        assert_eq!(check(without(claim)), Err(rejection));
        assert_eq!(check(set(claim, json!(""))), Err(rejection));
        assert_eq!(check(set(claim, json!("x".repeat(256)))), Err(rejection));
        assert_eq!(check(set(claim, json!("x".repeat(255)))), Ok(()));
    }
}

#[test]
fn dates_are_whole_seconds_in_order_and_near() {
    for (claim, value, expected) in [
        ("exp", json!(NOW - 59), Err(Rejection::Lifetime)),
        ("exp", json!(NOW - 60), Err(Rejection::Expired)),
        ("exp", json!(-1), Err(Rejection::Expired)),
        ("exp", json!(0), Err(Rejection::Expired)),
        ("exp", json!(1e10), Err(Rejection::Lifetime)),
        ("exp", json!(NOW + 86_400), Ok(())),
        ("exp", json!(NOW + 86_401), Err(Rejection::Lifetime)),
        ("exp", json!(NOW * 1000), Err(Rejection::Lifetime)),
        ("exp", json!(2_147_483_648_u64), Err(Rejection::Lifetime)),
        ("exp", json!(1_710_223_631.5), Err(Rejection::DateFraction)),
        ("nbf", json!(NOW + 60), Ok(())),
        ("nbf", json!(NOW + 61), Err(Rejection::NotYetValid)),
        ("nbf", json!(1_710_220_031.5), Err(Rejection::DateFraction)),
        ("iat", json!(NOW + 60), Ok(())),
        ("iat", json!(NOW + 61), Err(Rejection::IssuedInFuture)),
        ("iat", json!(NOW - 90_000), Err(Rejection::Lifetime)),
    ] {
        assert_eq!(check(set(claim, value.clone())), expected, "{claim} {value}");
    }
    assert_eq!(check(without("exp")), Err(Rejection::DateMissing));
    assert_eq!(check(without("iat")), Err(Rejection::DateMissing));
}

#[test]
fn a_date_written_with_an_exponent_is_a_date() {
    let text =
        serde_json::to_string(&claims()).unwrap().replace(&format!("\"exp\":{}", NOW + 3600), "\"exp\":1e10");
    let key = key(Algorithm::Es256);
    let verified = verify(&sign::compact(key, &header(key), &text).unwrap(), &Ring::of(key)).unwrap();
    let forever = Expectation { max_lifetime: Duration::from_secs(u64::MAX / 2_000_000), ..rfc9068() };

    assert_eq!(forever.check(&verified, Micros::from_seconds(NOW).unwrap()), Ok(()));
}

#[test]
fn expiry_is_judged_at_the_instant_given() {
    let verified = verified(&header(key(Algorithm::Es256)), &claims());
    let at = |now: i64| rfc9068().check(&verified, Micros::from_seconds(now).unwrap());

    assert_eq!(at(NOW + 3659), Ok(()));
    assert_eq!(at(NOW + 3660), Err(Rejection::Expired));
    assert_eq!(at(i64::MAX / 2_000_000), Err(Rejection::Expired));
    assert_eq!(at(i64::MIN / 2_000_000), Err(Rejection::NotYetValid));
}

#[test]
fn bound_tokens_and_foreign_scope_forms_are_refused() {
    assert_eq!(check(set("cnf", json!({"jkt": "x", "x5t#S256": "y"}))), Err(Rejection::Bound));
    let both = |claims: &mut Map<String, Value>| {
        claims.remove("scope");
        claims.insert("scopes".into(), json!(["bookings:create"]));
    };
    assert_eq!(check(both), Err(Rejection::Scope));
}

#[test]
fn the_type_is_at_jwt_in_any_case() {
    let kid = key(Algorithm::Es256).kid();
    let with_type = |typ: &str| {
        let verified = verified(&format!(r#"{{"alg":"ES256","kid":"{kid}"{typ}}}"#), &claims());
        rfc9068().check(&verified, Micros::from_seconds(NOW).unwrap())
    };
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        assert_eq!(with_type(&format!(r#","typ":"{typ}""#)), Ok(()), "{typ}");
    }
    for typ in ["JWT", "jwt", "at+jwt ", "at", "", "dpop+jwt", "application/application/at+jwt"] {
        assert_eq!(with_type(&format!(r#","typ":"{typ}""#)), Err(Rejection::Type), "{typ}");
    }
    assert_eq!(with_type(""), Err(Rejection::Type));
}

#[test]
fn an_rfc9068_token_needs_a_kid() {
    let verified = verified(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims());

    assert_eq!(rfc9068().check(&verified, Micros::from_seconds(NOW).unwrap()), Err(Rejection::KeyIdMissing));
}

fn passport_claims() -> Map<String, Value> {
    let claims = json!({
        "aud": "client-1", "jti": "81755a6a7daf0382", "iat": 1_710_220_031.583_112, "nbf": 1_710_220_031.583_114,
        "exp": 1_710_223_631.577_478, "sub": "", "scopes": ["bookings:create"], "user_id": "u", "partner_id": "p",
        "is_test": false,
    });
    claims.as_object().unwrap().clone()
}

fn passport(header: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), Rejection> {
    let mut claims = passport_claims();
    change(&mut claims);
    let verified = verified(header, &claims);
    Expectation::new(Expected::Passport).check(&verified, Micros::from_seconds(NOW).unwrap())
}

const PLAIN: &str = r#"{"typ":"JWT","alg":"ES256"}"#;

#[test]
fn a_passport_token_as_issued_is_valid() {
    let kid = key(Algorithm::Es256).kid();
    assert_eq!(passport(PLAIN, |_| ()), Ok(()));
    assert_eq!(passport(&format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{kid}"}}"#), |_| ()), Ok(()));
    assert_eq!(passport(PLAIN, set("sub", json!("client-1"))), Ok(()));
    assert_eq!(passport(PLAIN, without("scopes")), Ok(()));
    assert_eq!(passport(PLAIN, set("iat", json!(NOW))), Ok(()));
}

#[test]
fn a_token_of_another_shape_is_no_passport_token() {
    for (claim, value, rejection) in [
        ("iss", json!("https://issuer.example"), Rejection::Issuer),
        ("aud", json!(["client-1"]), Rejection::Audience),
        ("aud", json!(""), Rejection::Audience),
        ("sub", json!("somebody"), Rejection::Subject),
        ("client_id", json!("other"), Rejection::ClientId),
        ("jti", json!(""), Rejection::TokenId),
        ("cnf", json!({}), Rejection::Bound),
    ] {
        assert_eq!(passport(PLAIN, set(claim, value.clone())), Err(rejection), "{claim} {value}");
    }
    for claim in ["aud", "sub", "jti", "exp", "iat"] {
        assert!(passport(PLAIN, without(claim)).is_err(), "{claim}");
    }
    let text_scope = |claims: &mut Map<String, Value>| {
        claims.remove("scopes");
        claims.insert("scope".into(), json!("bookings:create"));
    };
    assert_eq!(passport(PLAIN, text_scope), Err(Rejection::Scope));
}

#[test]
fn the_type_of_a_passport_token_is_jwt_exactly() {
    for header in
        [r#"{"typ":"at+jwt","alg":"ES256"}"#, r#"{"typ":"jwt","alg":"ES256"}"#, r#"{"alg":"ES256"}"#]
    {
        assert_eq!(passport(header, |_| ()), Err(Rejection::Type), "{header}");
    }
}

#[test]
fn the_profiles_refuse_each_other() {
    let now = Micros::from_seconds(NOW).unwrap();
    let access_token = verified(&header(key(Algorithm::Es256)), &claims());
    let passport_token = verified(PLAIN, &passport_claims());

    assert!(Expectation::new(Expected::Passport).check(&access_token, now).is_err());
    assert!(rfc9068().check(&passport_token, now).is_err());
}
