//! This file is where RSA keys are made, read and checked, for RS256 and PS256 alike.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RsaEncoding, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    RsaSubjectPublicKey,
};
use zeroize::Zeroizing;

use super::four_primes::{FourPrimes, Primes};
use super::{Algorithm, PublicMaterial, signature_chance};
use crate::der;
use crate::error::KeyError;

const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 8192;

/// The sizes of new RSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaBits {
    /// 2048 bits: fast, 112 bits of security.
    B2048,
    /// 3072 bits: 128 bits of security.
    B3072,
    /// 4096 bits: what Passport makes.
    B4096,
}

impl RsaBits {
    fn size(self) -> KeySize {
        match self {
            Self::B2048 => KeySize::Rsa2048,
            Self::B3072 => KeySize::Rsa3072,
            Self::B4096 => KeySize::Rsa4096,
        }
    }
}

/// An RSA key, in the library that can hold it.
pub(crate) enum Pair {
    /// Of two primes, in aws-lc-rs.
    Two(RsaKeyPair),
    /// Of four primes, in OpenSSL.
    Four(FourPrimes),
}

impl Pair {
    pub(super) fn primes(&self) -> Primes {
        match self {
            Self::Two(_) => Primes::Two,
            Self::Four(_) => Primes::Four,
        }
    }
}

pub(super) fn generate(algorithm: Algorithm, bits: RsaBits) -> Result<Pair, KeyError> {
    let made = RsaKeyPair::generate(bits.size()).map_err(|_| KeyError::Generation { algorithm })?;
    Ok(Pair::Two(made))
}

pub(super) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Pair, KeyError> {
    if let Some(inner) = der::rsa_pkcs8(der)
        && let Some(many) = of_many_primes(inner)
    {
        return many;
    }
    RsaKeyPair::from_pkcs8(der).map(Pair::Two).map_err(|_| KeyError::Encoding { algorithm })
}

pub(super) fn from_pkcs1(algorithm: Algorithm, der: &[u8]) -> Result<Pair, KeyError> {
    of_many_primes(der).unwrap_or_else(|| two_primes_from_pkcs1(algorithm, der).map(Pair::Two))
}

/// The key, if its encoding says that it has more than two primes.
fn of_many_primes(pkcs1: &[u8]) -> Option<Result<Pair, KeyError>> {
    match der::rsa_primes(pkcs1)? {
        2 => None,
        4 => Some(FourPrimes::from_pkcs1(pkcs1).map(Pair::Four)),
        _ => Some(Err(KeyError::PrimeCount)),
    }
}

pub(super) fn two_primes_from_pkcs1(algorithm: Algorithm, der: &[u8]) -> Result<RsaKeyPair, KeyError> {
    RsaKeyPair::from_der(der).map_err(|_| KeyError::Encoding { algorithm })
}

pub(super) fn to_pkcs8(algorithm: Algorithm, key: &Pair) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match key {
        Pair::Two(key) => {
            let der: Pkcs8V1Der<'static> = key.as_der().map_err(|_| KeyError::Encoding { algorithm })?;
            Ok(Zeroizing::new(der.as_ref().to_vec()))
        }
        Pair::Four(key) => key.to_pkcs8(),
    }
}

pub(super) fn public_material(algorithm: Algorithm, key: &Pair) -> Result<PublicMaterial, KeyError> {
    match key {
        Pair::Two(key) => public_from_pkcs1(algorithm, key.public_key().as_ref()),
        Pair::Four(key) => from_spki(algorithm, &key.spki()?),
    }
}

pub(super) fn public_from_pkcs1(algorithm: Algorithm, der: &[u8]) -> Result<PublicMaterial, KeyError> {
    let Some((n, e)) = der::rsa_public_key(der) else {
        return Err(KeyError::Encoding { algorithm });
    };
    Ok(PublicMaterial::Rsa { n: n.to_vec(), e: e.to_vec() })
}

pub(super) fn from_spki(algorithm: Algorithm, der: &[u8]) -> Result<PublicMaterial, KeyError> {
    let Some(inner) = der::rsa_spki(der) else {
        return Err(KeyError::Encoding { algorithm });
    };
    public_from_pkcs1(algorithm, inner)
}

pub(super) fn to_spki(n: &[u8], e: &[u8]) -> Result<Vec<u8>, KeyError> {
    let der: PublicKeyX509Der<'static> = RsaPublicKeyComponents { n, e }
        .as_der()
        .map_err(|_| KeyError::Encoding { algorithm: Algorithm::Rs256 })?;
    Ok(der.as_ref().to_vec())
}

/// The rules come first: the library would take an exponent of 3 and tell nobody.
pub(super) fn parse(
    algorithm: Algorithm,
    n: &[u8],
    e: &[u8],
    parameters: &'static RsaParameters,
) -> Result<ParsedPublicKey, KeyError> {
    check(n, e)?;
    let spki = to_spki(n, e)?;
    RsaSubjectPublicKey::from_der(&spki).map_err(|_| KeyError::Encoding { algorithm })?;
    ParsedPublicKey::new(parameters, spki).map_err(|_| KeyError::Encoding { algorithm })
}

fn check(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    let (Some(first), Some(last)) = (n.first(), n.last()) else {
        return Err(KeyError::RsaUnsound { why: "the modulus is empty" });
    };
    if *first == 0 || e.first() == Some(&0) {
        return Err(KeyError::RsaUnsound { why: "a number has leading zeros" });
    }
    let bits = n.len().saturating_mul(8).saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(0));
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(KeyError::RsaSize { bits });
    }
    if last % 2 == 0 {
        return Err(KeyError::RsaUnsound { why: "the modulus is even" });
    }
    check_exponent(e)
}

fn check_exponent(e: &[u8]) -> Result<(), KeyError> {
    // Larger exponents only make verification slow; the library stops at 33 bits, we at 32.
    if e.len() > 4 {
        return Err(KeyError::RsaUnsound { why: "the exponent is larger than 32 bits" });
    }
    let exponent = e.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    if exponent < 65_537 || exponent % 2 == 0 {
        return Err(KeyError::RsaUnsound { why: "the exponent is below 65537 or even" });
    }
    Ok(())
}

pub(super) fn sign(
    algorithm: Algorithm,
    key: &Pair,
    padding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, KeyError> {
    match key {
        Pair::Two(key) => sign_with_two(algorithm, key, padding, message),
        Pair::Four(key) => key.sign(algorithm, message),
    }
}

pub(super) fn sign_with_two(
    algorithm: Algorithm,
    key: &RsaKeyPair,
    padding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(padding, &signature_chance(), message, &mut signature)
        .map_err(|_| KeyError::Signing { algorithm })?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xAB; bits / 8];
        n[0] = 0x80;
        n
    }

    fn why(n: &[u8], e: &[u8]) -> String {
        check(n, e).unwrap_err().to_string()
    }

    #[test]
    fn a_modulus_outside_the_bounds_is_refused() {
        for bits in [512, 1024, 2040, 8200] {
            assert_eq!(check(&modulus(bits), &[1, 0, 1]), Err(KeyError::RsaSize { bits }));
        }
        assert_eq!(check(&modulus(2048), &[1, 0, 1]), Ok(()));
    }

    #[test]
    fn a_modulus_one_bit_short_is_refused() {
        let mut n = modulus(2048);
        n[0] = 0x7F;
        assert_eq!(check(&n, &[1, 0, 1]), Err(KeyError::RsaSize { bits: 2047 }));
    }

    #[test]
    fn even_and_padded_numbers_are_refused() {
        let mut even = modulus(2048);
        *even.last_mut().unwrap() = 2;
        assert!(why(&even, &[1, 0, 1]).contains("even"));
        assert!(why(&[&[0][..], &modulus(2048)].concat(), &[1, 0, 1]).contains("leading zeros"));
        assert!(why(&modulus(2048), &[0, 1, 0, 1]).contains("leading zeros"));
        assert!(why(&[], &[1, 0, 1]).contains("empty"));
    }

    #[test]
    fn small_even_and_huge_exponents_are_refused() {
        for e in [&[1][..], &[3], &[17], &[], &[1, 0, 2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
            assert!(why(&modulus(2048), e).contains("exponent"), "{e:?}");
        }
    }
}
