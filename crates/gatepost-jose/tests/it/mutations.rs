//! This file is where tokens go round, and every one-bit change of them is refused.

use gatepost_jose::verify::verify;
use gatepost_jose::{Algorithm, sign};
use proptest::prelude::*;

use crate::keyring::{Ring, header, key, token};

fn flipped(token: &str, bit: usize) -> Option<String> {
    let mut bytes = token.as_bytes().to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    String::from_utf8(bytes).ok()
}

#[test]
fn every_one_bit_change_of_a_short_token_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let ring = Ring::of(key(algorithm));
        let token = token(key(algorithm));
        assert!(verify(&token, &ring).is_ok());

        for forged in (0..token.len() * 8).filter_map(|bit| flipped(&token, bit)) {
            assert!(verify(&forged, &ring).is_err(), "{algorithm} {forged}");
        }
    }
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(Algorithm::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_is_what_is_read(
        algorithm in any_algorithm(), sub in "[ -~]{0,60}", scopes in prop::collection::vec("[!#-\\[\\]-~]{1,12}", 0..6),
        seconds in -8_000_000_000_i64..8_000_000_000, is_test: bool,
    ) {
        let key = key(algorithm);
        let claims = serde_json::json!({"sub": sub, "scopes": scopes, "exp": seconds, "is_test": is_test});
        let token = sign::compact(key, &header(key), &claims.to_string()).unwrap();

        let verified = verify(&token, &Ring::of(key)).unwrap();

        let read = verified.claims();
        prop_assert_eq!(read.sub.as_deref(), Some(sub.as_str()));
        prop_assert_eq!(&read.scopes, &scopes);
        prop_assert_eq!(read.exp.map(|exp| exp.seconds()), Some(seconds));
        prop_assert_eq!(read.is_test, Some(is_test));
        prop_assert_eq!(&read.raw, &claims.to_string());
    }

    #[test]
    fn a_one_bit_change_anywhere_is_refused(algorithm in any_algorithm(), bit: prop::sample::Index) {
        let token = token(key(algorithm));
        if let Some(forged) = flipped(&token, bit.index(token.len() * 8)) {
            prop_assert!(verify(&forged, &Ring::of(key(algorithm))).is_err());
        }
    }

    #[test]
    fn a_token_cut_anywhere_is_refused(algorithm in any_algorithm(), at: prop::sample::Index) {
        let token = token(key(algorithm));
        let cut = &token[..at.index(token.len())];
        prop_assert!(verify(cut, &Ring::of(key(algorithm))).is_err());
    }
}
