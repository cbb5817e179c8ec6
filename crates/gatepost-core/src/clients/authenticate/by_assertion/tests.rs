//! This file is where assertions are tried: a table of what a client signed against what comes of it.

use std::time::Duration;

use gatepost_jose::{Algorithm, RsaBits, SigningKey, sign};
use serde_json::{Value, json};

use super::super::tests::{NOW, peppers, record};
use super::*;
use crate::clients::methods::private_key_jwt::Terms;
use crate::clients::{
    ClientKey, ClientKeyId, KeyConflict, KeyMaterial, Method, UngrantedScope, add_key, remove_key,
};
use crate::partners::Status;

const ISSUER: &str = "https://auth.example";
const ENDPOINT: &str = "https://auth.example/oauth2/token";

/// What a client signs, and who it is; a case changes one thing of it.
struct Case {
    key: SigningKey,
    header: Value,
    claims: Value,
    record: ClientRecord,
    is_known: bool,
    method: Method,
    token_endpoint: Option<String>,
    client_id: Option<&'static str>,
}

fn seconds(from_now: i64) -> Value {
    json!(NOW.seconds() + from_now)
}

fn case() -> Case {
    case_with(Algorithm::Es256)
}

fn case_with(algorithm: Algorithm) -> Case {
    let key = SigningKey::generate(algorithm, RsaBits::B2048).unwrap();
    let mut record = record(&peppers());
    record.keys = vec![stored(&key, 1)];
    Case {
        header: json!({ "alg": algorithm.as_str(), "typ": "JWT" }),
        claims: json!({ "iss": "c", "sub": "c", "aud": ISSUER, "iat": seconds(0), "exp": seconds(60), "jti": "j" }),
        key,
        record,
        is_known: true,
        method: Method::PrivateKeyJwt,
        token_endpoint: None,
        client_id: None,
    }
}

fn stored(key: &SigningKey, id: u128) -> ClientKey {
    let material = KeyMaterial::Jwk(key.public().to_jwk());
    ClientKey { id: ClientKeyId(uuid::Uuid::from_u128(id)), material, created: NOW }
}

fn signed(case: &Case) -> String {
    sign::compact(&case.key, &case.header.to_string(), &case.claims.to_string()).unwrap()
}

fn judge_text(text: &str, case: &Case) -> Result<UnusedAssertion, Refusal> {
    let assertion = Assertion::read(text, case.client_id)?;
    let inline = case.record.keys.iter().filter_map(|key| match &key.material {
        KeyMaterial::Jwk(jwk) => AssertionKey::from_jwk(jwk).ok(),
        KeyMaterial::JwksUri(_) => None,
    });
    let known = KnownClient { record: Arc::new(case.record.clone()), keys: inline.collect() };
    let found = case.is_known.then_some(&known);
    let terms = Terms {
        issuer: ISSUER,
        token_endpoint: case.token_endpoint.clone(),
        leeway: Duration::from_secs(60),
    };
    authenticate_assertion(found, &assertion, Source { method: case.method, address: None }, &terms, NOW)
}

/// "ok", or the reason for the log, of an assertion that `change` made different.
fn ask(change: impl FnOnce(&mut Case)) -> String {
    let mut case = case();
    change(&mut case);
    said(judge_text(&signed(&case), &case))
}

fn said(outcome: Result<UnusedAssertion, Refusal>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => {
            assert_eq!(refusal.code, Code::InvalidClient);
            refusal.reason.into_owned()
        }
    }
}

fn with(claim: &'static str, value: Value) -> String {
    ask(|case| case.claims[claim] = value)
}

fn without(claim: &'static str) -> String {
    ask(|case| drop(case.claims.as_object_mut().unwrap().shift_remove(claim)))
}

#[test]
fn a_client_that_speaks_of_itself_to_this_issuer_for_minutes_is_believed() {
    assert_eq!(ask(|_| {}), "ok");
    assert_eq!(with("aud", json!([ISSUER])), "ok");
    assert_eq!(without("iat"), "ok");
    for typ in ["JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"] {
        assert_eq!(ask(|case| case.header["typ"] = json!(typ)), "ok", "{typ}");
    }
    assert_eq!(ask(|case| drop(case.header.as_object_mut().unwrap().shift_remove("typ"))), "ok");
    assert_eq!(ask(|case| case.client_id = Some("c")), "ok");
    assert_eq!(ask(|case| case.record.client.auth_method = Some(Method::PrivateKeyJwt)), "ok");
}

#[test]
fn every_algorithm_of_the_list_is_verified() {
    for algorithm in Algorithm::ALL {
        let case = case_with(algorithm);
        assert_eq!(said(judge_text(&signed(&case), &case)), "ok", "{algorithm}");
    }
}

#[test]
fn other_kinds_of_tokens_are_no_assertions() {
    for typ in ["at+jwt", "application/at+jwt", "dpop+jwt", "application/", "gatepost-revocations+jwt", ""] {
        let reason = ask(|case| case.header["typ"] = json!(typ));
        assert_eq!(reason, "the assertion's typ is that of another kind of token", "{typ}");
    }
}

#[test]
fn issuer_and_subject_are_both_the_client() {
    let reason = "the assertion's iss and sub are not both the client id";
    assert_eq!(with("iss", json!("d")), reason);
    assert_eq!(without("iss"), reason);
    assert_eq!(with("sub", json!("d")), reason, "found under another id");
    assert_eq!(without("sub"), "the assertion names no subject");
    assert_eq!(with("sub", json!("")), "the assertion names no subject");
    let reason = ask(|case| case.client_id = Some("d"));
    assert_eq!(reason, "client_id is not the subject of the assertion");
}

#[test]
fn the_issuer_is_the_only_audience() {
    for aud in [
        json!([ISSUER, "https://other.example"]),
        json!([ISSUER, ISSUER]),
        json!("https://auth.example/"),
        json!("https://AUTH.example"),
        json!("https://other.example"),
        json!(ENDPOINT),
        json!([]),
        json!(""),
    ] {
        assert_eq!(with("aud", aud.clone()), "the assertion's aud is not this issuer alone", "{aud}");
    }
    assert_eq!(without("aud"), "the assertion's aud is not this issuer alone");
}

#[test]
fn the_token_endpoint_is_an_audience_when_the_operator_says_so_but_never_beside_the_issuer() {
    let ask = |aud: Value| {
        ask(|case| {
            case.token_endpoint = Some(ENDPOINT.to_owned());
            case.claims["aud"] = aud;
        })
    };
    assert_eq!(ask(json!(ENDPOINT)), "ok");
    assert_eq!(ask(json!([ENDPOINT])), "ok");
    assert_eq!(ask(json!(ISSUER)), "ok");
    assert_eq!(ask(json!([ISSUER, ENDPOINT])), "the assertion's aud is not this issuer alone");
}

#[test]
fn an_assertion_lives_for_minutes_and_is_not_of_the_future() {
    let far = "the assertion's exp is more than 5 minutes ahead";
    let future = "the assertion is of the future; set the client's clock";
    for (claim, from_now, expected) in [
        ("exp", 300, "ok"),
        ("exp", 360, "ok"),
        ("exp", 361, far),
        ("exp", 86_400, far),
        ("exp", -59, "ok"),
        ("exp", -60, "the assertion has expired"),
        ("exp", -86_400, "the assertion has expired"),
        ("iat", -86_400, "ok"),
        ("iat", 10, "ok"),
        ("iat", 60, "ok"),
        ("iat", 61, future),
        ("nbf", 10, "ok"),
        ("nbf", 61, future),
    ] {
        assert_eq!(with(claim, seconds(from_now)), expected, "{claim} {from_now}");
    }
    assert_eq!(without("exp"), "the assertion has no exp");
    for exp in [json!("1060"), json!(null), json!(true), json!([])] {
        assert!(with("exp", exp).starts_with("the assertion is refused: "));
    }
}

#[test]
fn without_leeway_ten_seconds_ahead_are_still_tolerated() {
    let case = case();
    let terms = |leeway| Terms { issuer: ISSUER, token_endpoint: None, leeway: Duration::from_secs(leeway) };
    for (leeway, ahead, is_right) in [(0, 10, true), (0, 11, false), (600, 60, true), (600, 61, false)] {
        let mut claims = case.claims.clone();
        claims["iat"] = seconds(ahead);
        let text = sign::compact(&case.key, &case.header.to_string(), &claims.to_string()).unwrap();
        let key = case.key.public().clone();
        let verified = verify(&text, &These(&[key])).unwrap();
        let judged = terms(leeway).check(&verified, &case.record.client.id, NOW);
        assert_eq!(judged.is_ok(), is_right, "leeway {leeway}, {ahead} s ahead");
    }
}

#[test]
fn an_id_is_needed_printable_and_short() {
    let reason = "the assertion's jti is not 1 to 255 printable characters";
    assert_eq!(without("jti"), reason);
    for jti in [String::new(), "x".repeat(256), "caf\u{e9}".to_owned()] {
        assert_eq!(with("jti", json!(jti)), reason, "{jti}");
    }
    assert_eq!(with("jti", json!("x".repeat(255))), "ok");
    for jti in [json!(7), json!(["j"]), json!("a\u{0}")] {
        assert!(with("jti", jti).starts_with("the assertion is refused: "));
    }
}

#[test]
fn size_and_shape_are_judged_before_anything_else() {
    let case = case();
    let text = signed(&case);
    let judge = |text: &str| said(judge_text(text, &case));
    assert_eq!(judge(&".".repeat(60 * 1024)), "the assertion is longer than 8 KiB");
    assert_eq!(
        judge(&".".repeat(8 * 1024)),
        "the assertion is refused: the token is not three parts between two dots"
    );
    for bad in ["", "a", "a.b", "a.b.c", "a.b.c.d.e", &format!("{text}="), &format!("{text}.x.y"), &text[1..]]
    {
        assert!(judge(bad).starts_with("the assertion is refused: "), "{bad}");
    }
}

#[test]
fn repeated_members_make_it_no_assertion() {
    let case = case();
    let now = NOW.seconds();
    let claims =
        format!(r#"{{"iss":"c","sub":"d","sub":"c","aud":"{ISSUER}","exp":{},"jti":"j"}}"#, now + 60);
    let text = sign::compact(&case.key, &case.header.to_string(), &claims).unwrap();
    assert_eq!(
        said(judge_text(&text, &case)),
        "the assertion is refused: the claims are not a strict JSON object"
    );
}

#[test]
fn the_key_is_the_clients_and_chooses_the_algorithm() {
    let other = SigningKey::generate(Algorithm::Es256, RsaBits::B2048).unwrap();
    assert_eq!(ask(|case| case.key = other), "the assertion is refused: the signature does not verify");

    let mismatch = "the assertion is refused: the key is for another algorithm than the header says";
    assert_eq!(ask(|case| case.header["alg"] = json!("EdDSA")), mismatch);
    assert_eq!(ask(|case| case.record.keys.clear()), mismatch);
    for alg in ["none", "None", "HS256", "ES384", "es256", ""] {
        assert!(ask(|case| case.header["alg"] = json!(alg)).contains("algorithm is not one of"), "{alg}");
    }
    for parameter in ["jwk", "jku", "x5u", "x5c", "crit", "zip", "b64"] {
        let reason = ask(|case| case.header[parameter] = json!({}));
        assert!(reason.contains("parameter that is refused"), "{parameter}: {reason}");
    }
}

#[test]
fn a_key_with_a_name_is_found_by_it_and_a_key_without_one_whatever_it_is_called() {
    let unknown = "the assertion is refused: no key with the token's kid is known";
    assert_eq!(ask(|case| case.header["kid"] = json!(case.key.kid().as_str())), "ok");
    assert_eq!(ask(|case| case.header["kid"] = json!("another")), unknown);
    let unnamed = |case: &mut Case| {
        case.header["kid"] = json!("another");
        let jwk = Jwk { kid: None, ..case.key.public().to_jwk() };
        case.record.keys[0].material = KeyMaterial::Jwk(jwk);
    };
    assert_eq!(ask(unnamed), "ok");
}

#[test]
fn the_named_key_is_tried_first_among_many() {
    let mut case = case();
    let others = (2..8).map(|id| {
        let mut other = stored(&SigningKey::generate(Algorithm::Es256, RsaBits::B2048).unwrap(), id);
        let KeyMaterial::Jwk(jwk) = &mut other.material else { unreachable!() };
        jwk.kid = None;
        other
    });
    case.record.keys = others.chain([stored(&case.key, 1)]).collect();
    case.header["kid"] = json!(case.key.kid().as_str());
    assert_eq!(said(judge_text(&signed(&case), &case)), "ok");
}

#[test]
fn standing_and_pins_count_as_for_secrets() {
    type Bar = fn(&mut Case);
    let bars: [(&str, Bar); 6] = [
        ("no such client", |case| case.is_known = false),
        ("the partner is suspended", |case| case.record.partner_status = Status::Suspended),
        ("the client is suspended", |case| case.record.client.status = Status::Suspended),
        ("the client has expired", |case| case.record.client.expires = Some(NOW)),
        ("the client is pinned to another authentication method", |case| {
            case.record.client.auth_method = Some(Method::SecretBasic);
        }),
        ("the address is not in the client's list", |case| {
            case.record.client.allow = vec!["10.0.0.0/8".parse().unwrap()];
        }),
    ];
    for (reason, bar) in bars {
        assert_eq!(ask(bar), reason);
    }
    assert_eq!(ask(|case| case.record.client.ungranted_scope = UngrantedScope::Dropped), "ok");
}

#[test]
fn only_the_first_use_is_proof_and_it_is_remembered_until_the_dates_refuse_it() {
    let case = case();
    let judged = || judge_text(&signed(&case), &case).unwrap();

    assert_eq!((judged().client().as_str(), judged().jti()), ("c", "j"));
    assert_eq!(judged().until().seconds(), NOW.seconds() + 60 + 60);
    assert_eq!(judged().used_first(true).unwrap().secret(), None);
    assert_eq!(judged().used_first(false).unwrap_err().reason, "assertion replayed");
}

#[test]
fn the_decoys_are_sound_keys_one_an_algorithm() {
    for algorithm in Algorithm::ALL {
        let header = Header { alg: algorithm, typ: None, kid: None };
        let mut case = case_with(algorithm);
        case.is_known = false;
        let refused = verify(&signed(&case), &Decoy);
        assert_eq!(refused.unwrap_err(), Rejection::Signature, "{:?}", header.alg);
    }
}

#[test]
fn a_client_has_few_keys_each_once_and_keeps_its_last_credential() {
    let key = |id| stored(&SigningKey::generate(Algorithm::EdDsa, RsaBits::B2048).unwrap(), id);
    let mut owner = case().record;
    let mut twin = owner.keys[0].clone();
    let KeyMaterial::Jwk(jwk) = &mut twin.material else { unreachable!() };
    jwk.kid = Some("another-name".into());
    assert_eq!(add_key(&owner, twin), Err(KeyConflict::Same));
    assert!(add_key(&owner, key(2)).is_ok());

    let first = owner.keys[0].id;
    assert!(remove_key(&owner, first, false, NOW).is_ok(), "a secret is left");
    owner.secrets.clear();
    assert_eq!(remove_key(&owner, first, false, NOW), Err(KeyConflict::Last));
    assert!(remove_key(&owner, first, true, NOW).is_ok());
    assert_eq!(remove_key(&owner, key(9).id, true, NOW), Err(KeyConflict::Unknown));

    owner.keys.extend((2..5).map(key));
    assert_eq!(add_key(&owner, key(6)), Err(KeyConflict::TooMany));
    assert!(remove_key(&owner, first, false, NOW).is_ok(), "three keys are left");
}
