//! This file is where an independent implementation reads our tokens and we read its tokens.

use gatepost_jose::verify::verify;
use gatepost_jose::{Algorithm, SigningKey};
use jsonwebtoken as other;
use serde_json::Value;

use crate::keyring::{Ring, claims, key, token};

fn other_algorithm(algorithm: Algorithm) -> other::Algorithm {
    match algorithm {
        Algorithm::Rs256 => other::Algorithm::RS256,
        Algorithm::Ps256 => other::Algorithm::PS256,
        Algorithm::Es256 => other::Algorithm::ES256,
        Algorithm::EdDsa => other::Algorithm::EdDSA,
    }
}

fn decoding_keys(key: &SigningKey) -> [other::DecodingKey; 2] {
    let pem = key.public().to_pem().unwrap();
    let from_pem = match key.algorithm() {
        Algorithm::Rs256 | Algorithm::Ps256 => other::DecodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::Es256 => other::DecodingKey::from_ec_pem(pem.as_bytes()),
        Algorithm::EdDsa => other::DecodingKey::from_ed_pem(pem.as_bytes()),
    };
    let jwk = serde_json::from_value(serde_json::to_value(key.public().to_jwk()).unwrap()).unwrap();
    [from_pem.unwrap(), other::DecodingKey::from_jwk(&jwk).unwrap()]
}

fn encoding_key(key: &SigningKey) -> other::EncodingKey {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(key.to_pkcs8_der().unwrap().as_slice());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    match key.algorithm() {
        Algorithm::Rs256 | Algorithm::Ps256 => other::EncodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::Es256 => other::EncodingKey::from_ec_pem(pem.as_bytes()),
        Algorithm::EdDsa => other::EncodingKey::from_ed_pem(pem.as_bytes()),
    }
    .unwrap()
}

#[test]
fn our_tokens_verify_elsewhere() {
    for algorithm in Algorithm::ALL {
        let token = token(key(algorithm));
        let mut validation = other::Validation::new(other_algorithm(algorithm));
        validation.validate_exp = false;
        validation.set_audience(&["https://api.example"]);

        for decoding_key in decoding_keys(key(algorithm)) {
            let read = other::decode::<Value>(&token, &decoding_key, &validation).unwrap();

            assert_eq!(read.claims["sub"], "client-1", "{algorithm}");
            assert_eq!(read.header.kid.as_deref(), Some(key(algorithm).kid().as_str()));
        }
    }
}

#[test]
fn tokens_from_elsewhere_verify_here() {
    for algorithm in Algorithm::ALL {
        let mut header = other::Header::new(other_algorithm(algorithm));
        header.kid = Some(key(algorithm).kid().to_string());
        let token = other::encode(&header, &claims(), &encoding_key(key(algorithm))).unwrap();

        let verified = verify(&token, &Ring::of(key(algorithm))).unwrap();

        assert_eq!(verified.claims().sub.as_deref(), Some("client-1"), "{algorithm}");
        assert_eq!(verified.kid(), key(algorithm).kid());
    }
}

#[test]
fn thumbprints_are_the_same_elsewhere() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let jwk: other::jwk::Jwk =
            serde_json::from_value(serde_json::to_value(key.public().to_jwk()).unwrap()).unwrap();

        assert_eq!(
            jwk.thumbprint(other::jwk::ThumbprintHash::SHA256).unwrap(),
            key.kid().as_str(),
            "{algorithm}"
        );
    }
}
