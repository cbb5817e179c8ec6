//! This file is where JWK and JWK sets are read as strangers publish them.

use gatepost_jose::{Algorithm, Jwk, JwkSet, KeyError, PublicKey};
use serde_json::{Value, json};

use crate::keyring::{fresh, key};

fn jwk(algorithm: Algorithm) -> Value {
    serde_json::to_value(key(algorithm).public().to_jwk()).unwrap()
}

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

fn read(jwk: &Value) -> Result<PublicKey, KeyError> {
    PublicKey::from_jwk(&Jwk::parse(jwk.to_string().as_bytes())?)
}

fn usable(keys: &[Value]) -> Result<usize, KeyError> {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).map(|set| set.usable().len())
}

#[test]
fn a_published_set_is_read_back() {
    let keys: Vec<_> =
        [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(|a| key(a).public().clone()).into();

    let json = serde_json::to_string(&JwkSet::of(&keys)).unwrap();

    assert_eq!(JwkSet::parse(json.as_bytes()).unwrap().usable(), keys);
    assert!(json.starts_with(r#"{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":""#), "{json}");
}

#[test]
fn keys_that_can_not_be_used_are_skipped() {
    let good = jwk(Algorithm::Es256);
    let rsa = jwk(Algorithm::Rs256);
    let bad = [
        json!({"kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "a"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256", "kid": "small"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}),
        json!({"no": "type"}),
        json!("text"),
        json!(null),
        with(rsa.clone(), "d", json!("AQAB")),
        with(rsa.clone(), "use", json!("enc")),
        with(rsa.clone(), "alg", json!("RS512")),
        with(rsa.clone(), "alg", json!("ES256")),
        with(rsa.clone(), "alg", Value::Null),
        with(rsa.clone(), "e", json!("Aw")),
        with(rsa.clone(), "e", json!("AQ")),
        with(rsa.clone(), "e", json!("AQAB=")),
        with(rsa.clone(), "n", json!(format!("AA{}", rsa["n"].as_str().unwrap()))),
        with(rsa.clone(), "kid", json!("")),
        with(rsa, "kid", json!(7)),
    ];
    for key in &bad {
        assert_eq!(usable(&[key.clone(), good.clone()]), Ok(1), "{key}");
    }
}

#[test]
fn the_algorithm_of_elliptic_keys_may_be_left_out() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        assert_eq!(read(&with(jwk(algorithm), "alg", Value::Null)).unwrap().algorithm(), algorithm);
    }
    assert_eq!(
        read(&with(jwk(Algorithm::EdDsa), "alg", json!("Ed25519"))).unwrap().algorithm(),
        Algorithm::EdDsa
    );
}

#[test]
fn private_members_are_refused_by_name() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let private = with(jwk(Algorithm::Rs256), member, json!("AQAB"));
        assert_eq!(read(&private), Err(KeyError::JwkPrivate), "{member}");
    }
}

#[test]
fn other_members_are_ignored() {
    let key = with(jwk(Algorithm::Es256), "key_ops", json!(["verify"]));

    assert!(read(&with(key, "x5c", json!(["AAAA"]))).is_ok());
}

#[test]
fn two_usable_keys_with_one_id_refuse_the_set() {
    let (a, b) = (fresh(Algorithm::Es256), fresh(Algorithm::Es256));
    let named = |key: &gatepost_jose::SigningKey| {
        with(serde_json::to_value(key.public().to_jwk()).unwrap(), "kid", json!("same"))
    };

    assert_eq!(usable(&[named(&a), named(&b)]), Err(KeyError::SharedKid));
    assert_eq!(usable(&[named(&a), named(&a)]), Err(KeyError::SharedKid));
    let unusable = json!({"kty": "oct", "k": "AAAA", "kid": "same"});
    assert_eq!(usable(&[named(&a), unusable]), Ok(1));
}

#[test]
fn a_set_is_bounded_and_of_one_shape() {
    let many: Vec<_> = (0..101).map(|n| json!({"kty": "oct", "kid": n.to_string()})).collect();

    assert_eq!(usable(&many), Err(KeyError::TooManyKeys { limit: 100 }));
    assert_eq!(usable(&many[..100]), Ok(0));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "<html></html>", "{\"keys\":["]
    {
        assert!(matches!(JwkSet::parse(text.as_bytes()), Err(KeyError::JwkShape { .. })), "{text}");
    }
}

#[test]
fn a_key_with_a_repeated_member_is_skipped() {
    let text = jwk(Algorithm::Es256).to_string().replacen('{', r#"{"k\u0069d":"other","#, 1);

    assert_eq!(JwkSet::parse(format!(r#"{{"keys":[{text}]}}"#).as_bytes()).unwrap().usable(), []);
}
