//! This file is where keys are read from the files that OpenSSL writes, and unsound ones refused.

use gatepost_jose::{Algorithm, KeyError, PublicKey, RsaBits, SigningKey};

use crate::keyring::{fresh, key};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../data/", $name, ".pem"))
    };
}

const PRIVATE: [(Algorithm, &str, &str); 5] = [
    (Algorithm::Rs256, file!("rsa-pkcs8"), file!("rsa-public")),
    (Algorithm::Rs256, file!("rsa-pkcs1"), file!("rsa-public")),
    (Algorithm::Ps256, file!("rsa-pkcs1"), file!("rsa-pkcs1-public")),
    (Algorithm::Es256, file!("ec-sec1"), file!("ec-public")),
    (Algorithm::EdDsa, file!("ed25519-pkcs8"), file!("ed25519-public")),
];

#[test]
fn private_and_public_files_of_a_pair_belong_together() {
    for (algorithm, private, public) in PRIVATE {
        let key = SigningKey::from_pem(algorithm, private).unwrap();

        assert_eq!(key.self_test(), Ok(()));
        assert_eq!(key.public(), &PublicKey::from_pem(algorithm, public).unwrap());
    }
}

#[test]
fn public_keys_are_written_as_openssl_writes_them() {
    for (algorithm, text) in [
        (Algorithm::Rs256, file!("rsa-public")),
        (Algorithm::Es256, file!("ec-public")),
        (Algorithm::EdDsa, file!("ed25519-public")),
    ] {
        assert_eq!(PublicKey::from_pem(algorithm, text).unwrap().to_pem().unwrap(), text);
    }
}

#[test]
fn a_key_survives_pkcs8_and_jwk() {
    for algorithm in Algorithm::ALL {
        let original = key(algorithm);
        let again = SigningKey::from_pkcs8_der(algorithm, &original.to_pkcs8_der().unwrap()).unwrap();

        assert_eq!(again.public(), original.public());
        assert_eq!(&PublicKey::from_jwk(&original.public().to_jwk()).unwrap(), original.public());
        assert_eq!(again.sign(b"text").unwrap().len(), again.signature_len());
    }
}

#[test]
fn new_rsa_keys_have_the_size_asked_for() {
    let key = SigningKey::generate(Algorithm::Ps256, RsaBits::B3072).unwrap();

    assert_eq!((key.signature_len(), key.self_test()), (384, Ok(())));
}

#[test]
fn the_same_numbers_are_another_key_under_another_algorithm() {
    let (rs256, ps256) = (key(Algorithm::Rs256), key(Algorithm::Ps256));

    assert_eq!(rs256.kid(), ps256.kid());
    assert_ne!(rs256.public(), ps256.public());
    assert!(ps256.public().verify(b"text", &rs256.sign(b"text").unwrap()).is_err());
    assert!(rs256.public().verify(b"text", &ps256.sign(b"text").unwrap()).is_err());
}

#[test]
fn a_key_of_another_kind_is_refused() {
    for (algorithm, text) in [
        (Algorithm::Es256, file!("ec-p384")),
        (Algorithm::Es256, file!("rsa-pkcs8")),
        (Algorithm::Rs256, file!("ec-sec1")),
        (Algorithm::EdDsa, file!("rsa-pkcs1")),
        (Algorithm::Ps256, file!("ed25519-pkcs8")),
        (Algorithm::Rs256, file!("rsa-public")),
        (Algorithm::Rs256, "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"),
    ] {
        assert!(SigningKey::from_pem(algorithm, text).is_err(), "{algorithm} {text}");
    }
    assert!(PublicKey::from_pem(Algorithm::Es256, file!("ed25519-public")).is_err());
    assert!(PublicKey::from_pem(Algorithm::Rs256, file!("ec-public")).is_err());
    assert!(PublicKey::from_pem(Algorithm::Rs256, file!("rsa-pkcs8")).is_err());
}

#[test]
fn small_rsa_keys_and_small_exponents_are_refused() {
    let small = PublicKey::from_pem(Algorithm::Rs256, file!("rsa-1024-public"));
    assert_eq!(small.unwrap_err(), KeyError::RsaSize { bits: 1024 });
    assert!(SigningKey::from_pem(Algorithm::Rs256, file!("rsa-1024")).is_err());

    let exponent = PublicKey::from_pem(Algorithm::Rs256, file!("rsa-e3-public")).unwrap_err();
    assert!(exponent.to_string().contains("exponent"));
    assert!(SigningKey::from_pem(Algorithm::Rs256, file!("rsa-e3")).is_err());
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let mut jwk = fresh(Algorithm::Es256).public().to_jwk();
    std::mem::swap(&mut jwk.x, &mut jwk.y);

    assert_eq!(PublicKey::from_jwk(&jwk).unwrap_err(), KeyError::NotOnCurve { curve: "P-256" });
}

#[test]
fn printing_a_key_shows_its_algorithm_and_id_only() {
    let key = key(Algorithm::Es256);

    let expected = format!("{{ alg: Es256, kid: KeyId({:?}), .. }}", key.kid().as_str());
    assert_eq!(format!("{key:?}"), format!("SigningKey {expected}"));
    assert_eq!(format!("{:?}", key.public()), format!("PublicKey {expected}"));
}

#[test]
fn a_signature_of_another_length_is_refused_before_the_library_sees_it() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let signature = key.sign(b"text").unwrap();

        assert_eq!(key.public().verify(b"text", &signature), Ok(()));
        for other in
            [&signature[1..], &[&[0], &signature[..]].concat(), &[&signature[..], &[0]].concat(), &[]]
        {
            assert_eq!(key.public().verify(b"text", other), Err(KeyError::Signature), "{algorithm}");
        }
    }
}
