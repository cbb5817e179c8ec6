//! This file is where the key is that keys of four primes are timed against: two primes, the same length, aws-lc-rs.
//!
//! Its primes are published constants, so that none has to be searched for: it keeps nothing secret and is for timing only.

use aws_lc_rs::signature::RsaKeyPair;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;

use super::numbers::{Hidden, rsa_private_key};
use crate::algorithm::{Algorithm, rs256, rsa};
use crate::error::KeyError;

/// The prime of the group ffdhe2048 (RFC 7919 appendix A.1).
const FFDHE_2048: &str = "\
    FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF9\
    7D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935\
    984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FB\
    B96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61\
    9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA\
    886B423861285C97FFFFFFFFFFFFFFFF";

/// What a key of four primes is compared with.
pub struct Yardstick(RsaKeyPair);

impl Yardstick {
    /// Puts it together; a few milliseconds.
    pub fn new() -> Result<Self, KeyError> {
        let refused = |_: ErrorStack| KeyError::Generation { algorithm: Algorithm::Rs256 };
        let other = BigNum::get_rfc3526_prime_2048().and_then(Hidden::of).map_err(refused)?;
        let one = BigNum::from_hex_str(FFDHE_2048).and_then(Hidden::of).map_err(refused)?;
        let (larger, smaller) = if one.ucmp(&other).is_gt() { (one, other) } else { (other, one) };
        let der = rsa_private_key(&[larger, smaller]).map_err(refused)?;
        rsa::two_primes_from_pkcs1(Algorithm::Rs256, &der).map(Self)
    }

    /// Signs once.
    pub fn sign(&self) -> Result<(), KeyError> {
        rsa::sign_with_two(Algorithm::Rs256, &self.0, rs256::PADDING, b"gatepost self test").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_yardstick_signs_with_a_key_of_the_same_length() {
        let yardstick = Yardstick::new().unwrap();
        assert_eq!(yardstick.0.public_modulus_len(), 512);
        assert_eq!(yardstick.sign(), Ok(()));
    }
}
