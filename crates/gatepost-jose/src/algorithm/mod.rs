//! This folder is where each signature algorithm is one file; the key chooses the algorithm, never the token.
//!
//! A new algorithm is a file here and a variant of [`Algorithm`]; the compiler points at the rest.

use std::str::FromStr;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey};
use zeroize::Zeroizing;

use self::four_primes::FourPrimes;
use crate::error::KeyError;

mod eddsa;
mod es256;
mod four_primes;
mod name;
mod ps256;
mod rs256;
mod rsa;

pub use four_primes::{Primes, Yardstick};
pub use name::Algorithm;
pub use rsa::RsaBits;

impl FromStr for Algorithm {
    type Err = KeyError;

    /// Reads a JOSE name. `Ed25519`, the fully specified name of RFC 9864, means the same keys and signatures as `EdDSA`.
    fn from_str(name: &str) -> Result<Self, KeyError> {
        if name == "Ed25519" {
            return Ok(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|known| known.as_str() == name).ok_or(KeyError::UnknownAlgorithm)
    }
}

/// A private key, parsed, with the algorithm that it alone is used with.
pub(crate) enum PrivateKey {
    Rs256(rsa::Pair),
    Ps256(rsa::Pair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl PrivateKey {
    pub(crate) fn generate(algorithm: Algorithm, bits: RsaBits) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Rs256 => rsa::generate(algorithm, bits).map(Self::Rs256),
            Algorithm::Ps256 => rsa::generate(algorithm, bits).map(Self::Ps256),
            Algorithm::Es256 => es256::generate().map(Self::Es256),
            Algorithm::EdDsa => eddsa::generate().map(Self::EdDsa),
        }
    }

    /// A new RSA key of four primes, which has 4096 bits.
    pub(crate) fn generate_of_four_primes(algorithm: Algorithm) -> Result<Self, KeyError> {
        let made = || FourPrimes::generate().map(rsa::Pair::Four);
        match algorithm {
            Algorithm::Rs256 => made().map(Self::Rs256),
            Algorithm::Ps256 => made().map(Self::Ps256),
            Algorithm::Es256 | Algorithm::EdDsa => Err(KeyError::NoPrimes { algorithm }),
        }
    }

    pub(crate) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Rs256 => rsa::from_pkcs8(algorithm, der).map(Self::Rs256),
            Algorithm::Ps256 => rsa::from_pkcs8(algorithm, der).map(Self::Ps256),
            Algorithm::Es256 => es256::from_pkcs8(der).map(Self::Es256),
            Algorithm::EdDsa => eddsa::from_pkcs8(der).map(Self::EdDsa),
        }
    }

    /// From the form that was there before PKCS#8: PKCS#1 for RSA, SEC1 for EC. Ed25519 has none.
    pub(crate) fn from_traditional(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Rs256 => rsa::from_pkcs1(algorithm, der).map(Self::Rs256),
            Algorithm::Ps256 => rsa::from_pkcs1(algorithm, der).map(Self::Ps256),
            Algorithm::Es256 => es256::from_sec1(der).map(Self::Es256),
            Algorithm::EdDsa => Err(KeyError::Encoding { algorithm }),
        }
    }

    /// Whether the numbers of the key belong together, where the library has not looked when it read them.
    pub(crate) fn check(&self) -> Result<(), KeyError> {
        match self {
            Self::Rs256(rsa::Pair::Four(key)) | Self::Ps256(rsa::Pair::Four(key)) => key.check(),
            Self::Rs256(rsa::Pair::Two(_))
            | Self::Ps256(rsa::Pair::Two(_))
            | Self::Es256(_)
            | Self::EdDsa(_) => Ok(()),
        }
    }

    /// Of how many primes an RSA key is.
    pub(crate) fn primes(&self) -> Option<Primes> {
        match self {
            Self::Rs256(key) | Self::Ps256(key) => Some(key.primes()),
            Self::Es256(_) | Self::EdDsa(_) => None,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Ps256(_) => Algorithm::Ps256,
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Rs256(key) | Self::Ps256(key) => rsa::to_pkcs8(self.algorithm(), key),
            Self::Es256(key) => es256::to_pkcs8(key),
            Self::EdDsa(key) => eddsa::to_pkcs8(key),
        }
    }

    pub(crate) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        match self {
            Self::Rs256(key) | Self::Ps256(key) => rsa::public_material(self.algorithm(), key),
            Self::Es256(key) => es256::public_material(key),
            Self::EdDsa(key) => eddsa::public_material(key),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Rs256(key) => rsa::sign(Algorithm::Rs256, key, rs256::PADDING, message),
            Self::Ps256(key) => rsa::sign(Algorithm::Ps256, key, ps256::PADDING, message),
            Self::Es256(key) => es256::sign(key, message),
            Self::EdDsa(key) => eddsa::sign(key, message),
        }
    }
}

/// The numbers of a public key, checked, from which JWK, PEM and thumbprint are written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicMaterial {
    /// Big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The point's coordinates on P-256.
    P256 { x: [u8; 32], y: [u8; 32] },
    /// The encoded point.
    Ed25519 { x: [u8; 32] },
}

impl PublicMaterial {
    /// The key, ready to verify with, unless a rule of its kind refuses it.
    pub(crate) fn parse(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, KeyError> {
        match (self, algorithm) {
            (Self::Rsa { n, e }, Algorithm::Rs256) => rsa::parse(algorithm, n, e, rs256::PARAMETERS),
            (Self::Rsa { n, e }, Algorithm::Ps256) => rsa::parse(algorithm, n, e, ps256::PARAMETERS),
            (Self::P256 { x, y }, Algorithm::Es256) => es256::parse(x, y),
            (Self::Ed25519 { x }, Algorithm::EdDsa) => eddsa::parse(x),
            (Self::Rsa { .. } | Self::P256 { .. } | Self::Ed25519 { .. }, _) => {
                Err(KeyError::JwkUnsupported { why: "the algorithm is not one for this kty and crv" })
            }
        }
    }

    /// From SubjectPublicKeyInfo (RFC 5280).
    pub(crate) fn from_spki(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => rsa::from_spki(algorithm, der),
            Algorithm::Es256 => es256::from_spki(der),
            Algorithm::EdDsa => eddsa::from_spki(der),
        }
    }

    /// From RSAPublicKey (RFC 8017).
    pub(crate) fn from_pkcs1(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => rsa::public_from_pkcs1(algorithm, der),
            Algorithm::Es256 | Algorithm::EdDsa => Err(KeyError::Encoding { algorithm }),
        }
    }

    /// As SubjectPublicKeyInfo.
    pub(crate) fn to_spki(&self) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Rsa { n, e } => rsa::to_spki(n, e),
            Self::P256 { x, y } => Ok(es256::to_spki(x, y)),
            Self::Ed25519 { x } => Ok(eddsa::to_spki(x)),
        }
    }

    /// How many bytes a signature of this key has.
    pub(crate) fn signature_length(&self) -> usize {
        match self {
            Self::Rsa { n, .. } => n.len(),
            Self::P256 { .. } => es256::SIGNATURE_LENGTH,
            Self::Ed25519 { .. } => eddsa::SIGNATURE_LENGTH,
        }
    }
}

/// The chance that PSS and ECDSA take; the library's interface asks for it and uses its own.
fn signature_chance() -> SystemRandom {
    SystemRandom::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            assert_eq!(serde_json::to_string(&algorithm).unwrap(), format!("\"{algorithm}\""));
        }
    }

    #[test]
    fn the_fully_specified_name_is_understood_and_never_written() {
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
        assert_eq!(Algorithm::EdDsa.to_string(), "EdDSA");
    }

    #[test]
    fn other_names_and_other_cases_are_refused() {
        for name in ["rs256", "RS256 ", "RS384", "none", "", "HS256", "ES256K", "eddsa", "ed25519", "Ed448"] {
            assert_eq!(name.parse::<Algorithm>(), Err(KeyError::UnknownAlgorithm), "{name}");
        }
    }

    #[test]
    fn only_the_cheap_algorithms_sign_inline() {
        assert_eq!(Algorithm::ALL.map(Algorithm::signs_inline), [false, false, true, true]);
    }
}
