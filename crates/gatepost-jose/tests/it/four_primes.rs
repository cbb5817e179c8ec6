//! This file is where keys of four primes are tried: held by builds with the feature `multi-prime`, refused by others.

use gatepost_jose::{Algorithm, KeyError, SigningKey};

const PKCS8: &str = include_str!("../data/rsa-four-primes-pkcs8.pem");
const PKCS1: &str = include_str!("../data/rsa-four-primes-pkcs1.pem");
const OF_THREE: &str = include_str!("../data/rsa-three-primes.pem");
const FILES: [&str; 2] = [PKCS8, PKCS1];

fn refusal(algorithm: Algorithm, pem: &str) -> KeyError {
    SigningKey::from_pem(algorithm, pem).unwrap_err()
}

#[test]
fn keys_of_three_primes_are_refused_by_every_build() {
    assert_eq!(refusal(Algorithm::Rs256, OF_THREE), KeyError::PrimeCount);
}

#[test]
fn keys_without_primes_can_not_be_made_of_four() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let refused = SigningKey::generate_of_four_primes(algorithm).unwrap_err();
        assert_eq!(refused, KeyError::NoPrimes { algorithm });
    }
}

#[cfg(not(feature = "multi-prime"))]
#[test]
fn a_build_without_the_library_says_what_it_lacks() {
    for pem in FILES {
        assert_eq!(refusal(Algorithm::Rs256, pem), KeyError::FourPrimesAbsent);
    }
    let made = SigningKey::generate_of_four_primes(Algorithm::Ps256).unwrap_err();
    assert!(made.to_string().contains("--features multi-prime"), "{made}");
    assert!(!gatepost_jose::Primes::Four.can_be_held());
}

#[cfg(feature = "multi-prime")]
mod held {
    use std::sync::LazyLock;

    use aws_lc_rs::signature::RsaKeyPair;
    use gatepost_jose::verify::verify;
    use gatepost_jose::{Primes, PublicKey, Yardstick};
    use jsonwebtoken as other;
    use serde_json::Value;

    use super::*;
    use crate::keyring::{Ring, token};

    static MADE: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::generate_of_four_primes(Algorithm::Rs256).unwrap());

    fn pem(der: &[u8]) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn keys_that_openssl_wrote_are_read_and_their_public_half_is_ordinary() {
        let public = include_str!("../data/rsa-four-primes-public.pem");
        for file in FILES {
            for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
                let key = SigningKey::from_pem(algorithm, file).unwrap();
                assert_eq!(
                    (key.primes(), key.signature_len(), key.self_test()),
                    (Some(Primes::Four), 512, Ok(()))
                );
                assert_eq!(key.public(), &PublicKey::from_pem(algorithm, public).unwrap());
                assert_eq!(key.public().to_pem().unwrap(), public);
            }
        }
    }

    #[test]
    fn a_new_key_is_as_long_as_asked_for_and_no_two_are_alike() {
        let another = SigningKey::generate_of_four_primes(Algorithm::Ps256).unwrap();
        assert_eq!((another.self_test(), another.signature_len()), (Ok(()), 512));
        assert_ne!(another.public(), MADE.public());
        assert_eq!(MADE.primes(), Some(Primes::Four));
    }

    #[test]
    fn a_key_survives_pkcs8_which_aws_lc_could_not_load() {
        let der = MADE.to_pkcs8_der().unwrap();
        let again = SigningKey::from_pkcs8_der(Algorithm::Rs256, &der).unwrap();
        assert_eq!((again.public(), again.primes()), (MADE.public(), Some(Primes::Four)));
        assert!(RsaKeyPair::from_pkcs8(&der).is_err(), "nobody needs OpenSSL for it any more");
    }

    #[test]
    fn signatures_of_the_same_text_are_the_same_for_rs256_and_differ_for_ps256() {
        let of = |algorithm| {
            let key = SigningKey::from_pem(algorithm, PKCS8).unwrap();
            [key.sign(b"text").unwrap(), key.sign(b"text").unwrap()]
        };
        let [one, two] = of(Algorithm::Rs256);
        assert_eq!(one, two);
        let [one, two] = of(Algorithm::Ps256);
        assert_ne!(one, two, "PSS is salted");
    }

    #[test]
    fn tokens_verify_here_and_elsewhere() {
        for (algorithm, others) in
            [(Algorithm::Rs256, other::Algorithm::RS256), (Algorithm::Ps256, other::Algorithm::PS256)]
        {
            let key = SigningKey::from_pem(algorithm, PKCS1).unwrap();
            let token = token(&key);
            assert_eq!(verify(&token, &Ring::of(&key)).unwrap().kid(), key.kid());

            let mut validation = other::Validation::new(others);
            validation.validate_exp = false;
            validation.set_audience(&["https://api.example"]);
            let public = key.public().to_pem().unwrap();
            let decoding = other::DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
            let read = other::decode::<Value>(&token, &decoding, &validation).unwrap();
            assert_eq!(read.claims["sub"], "client-1", "{algorithm}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let der = MADE.to_pkcs8_der().unwrap();
        let length = der.len();
        // One place in each number from the private exponent on: each is a sixteenth of what follows the modulus.
        for part in 5..16 {
            let mut damaged = der.to_vec();
            damaged[length * part / 16] ^= 0x04;
            assert!(SigningKey::from_pem(Algorithm::Rs256, &pem(&damaged)).is_err(), "{part}");
        }
        assert!(SigningKey::from_pem(Algorithm::Rs256, &pem(&der[..length - 1])).is_err());
    }

    #[test]
    fn threads_share_a_key() {
        let texts: Vec<String> = (0..4).map(|number| format!("text {number}")).collect();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for _ in 0..20 {
                        MADE.public().verify(text.as_bytes(), &MADE.sign(text.as_bytes()).unwrap()).unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn the_yardstick_signs() {
        assert_eq!(Yardstick::new().unwrap().sign(), Ok(()));
    }
}
