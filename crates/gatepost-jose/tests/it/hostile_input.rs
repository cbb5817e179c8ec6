//! This file is where anything at all is thrown at the readers; none may panic and none may take it.

use gatepost_jose::verify::verify;
use gatepost_jose::{Algorithm, Jwk, JwkSet, Micros, PublicKey, SigningKey, base64url};
use proptest::prelude::*;

use crate::keyring::{Ring, key, token};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_as_token(text in ".{0,400}") {
        prop_assert!(verify(&text, &Ring::of(key(Algorithm::Es256))).is_err());
    }

    #[test]
    fn any_bytes_in_the_parts_of_a_token(header: Vec<u8>, claims: Vec<u8>, signature: Vec<u8>) {
        let parts = [header, claims, signature].map(|part| base64url::encode(&part));
        prop_assert!(verify(&parts.join("."), &Ring::of(key(Algorithm::Es256))).is_err());
    }

    #[test]
    fn any_json_as_header(header in json(), claims in json()) {
        let parts = [header, claims].map(|part| base64url::encode(part.to_string().as_bytes()));
        let token = format!("{}.AAAA", parts.join("."));
        prop_assert!(verify(&token, &Ring::of(key(Algorithm::EdDsa))).is_err());
    }

    #[test]
    fn any_json_as_claims(claims in json()) {
        let key = key(Algorithm::EdDsa);
        let token = gatepost_jose::sign::compact(key, r#"{"alg":"EdDSA"}"#, &claims.to_string()).unwrap();
        let verified = verify(&token, &Ring::of(key));
        prop_assert!(verified.is_err() || claims.is_object());
    }

    #[test]
    fn any_text_as_key(text in ".{0,300}", der: Vec<u8>) {
        for algorithm in Algorithm::ALL {
            prop_assert!(SigningKey::from_pem(algorithm, &text).is_err());
            prop_assert!(PublicKey::from_pem(algorithm, &text).is_err());
            prop_assert!(SigningKey::from_pkcs8_der(algorithm, &der).is_err());
        }
    }

    #[test]
    fn any_json_as_jwk(json in json()) {
        let text = json.to_string();
        let _ = Jwk::parse(text.as_bytes());
        let _ = JwkSet::parse(text.as_bytes());
        let _ = JwkSet::parse(format!(r#"{{"keys":[{text}]}}"#).as_bytes());
    }

    #[test]
    fn any_number_as_date_is_exact_or_refused(micros in -1_000_000_000_000_i64..=i64::MAX / 4, exponent in 0_i32..3) {
        prop_assert_eq!(Micros::from_json(&Micros(micros).to_string()), Ok(Micros(micros)));
        if let Ok(scaled) = Micros::from_json(&format!("{}e{exponent}", Micros(micros))) {
            prop_assert_eq!(i128::from(scaled.0), i128::from(micros) * 10_i128.pow(exponent.unsigned_abs()));
        }
    }

    #[test]
    fn any_text_as_date(text in "[-+0-9.eE]{0,30}") {
        let _ = Micros::from_json(&text);
    }
}

/// JSON that often has the members we look at.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let name = prop_oneof![
        prop::sample::select(vec![
            "alg", "typ", "kid", "kty", "n", "e", "crv", "x", "y", "keys", "exp", "aud", "scope"
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["RS256", "ES256", "EdDSA", "RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB"])
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn no_error_shows_a_byte_of_the_token() {
    let token = token(key(Algorithm::Es256));
    for forged in
        [token.replace('.', ""), format!("{token}A"), token.to_uppercase(), token.replace("ey", "ez")]
    {
        let rejection = verify(&forged, &Ring::of(key(Algorithm::Es256))).unwrap_err();

        let shown = format!("{rejection} {rejection:?} {}", rejection.code());
        assert!(!forged.split('.').any(|part| shown.contains(part)), "{shown}");
    }
}
