//! This file is where OpenSSL holds a key of four primes and signs with it.
//!
//! It blinds each signature by a factor that every thread has for itself, and raises what it put together to the public
//! exponent before it gives it away: a slip in one of the four parts, which would betray a prime (Boneh, DeMillo and Lipton
//! 1997), becomes a slower signature and never a wrong one. A test below holds it to that.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use zeroize::Zeroizing;

use super::numbers::{self, MODULUS_BITS};
use crate::algorithm::Algorithm;
use crate::error::KeyError;

/// A key of four primes.
pub(crate) struct FourPrimes(PKey<Private>);

impl FourPrimes {
    /// A new key, whose numbers OpenSSL has checked once more.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let refused = |_: ErrorStack| KeyError::Generation { algorithm: Algorithm::Rs256 };
        let der = numbers::generate().map_err(refused)?;
        let key = Self::from_pkcs1(&der.ok_or(KeyError::Generation { algorithm: Algorithm::Rs256 })?)?;
        key.check()?;
        Ok(key)
    }

    /// From RSAPrivateKey; its primes are looked at in [`Self::check`].
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let key = PKey::private_key_from_der(der)
            .map_err(|_| KeyError::RsaUnsound { why: "OpenSSL can't read its numbers" })?;
        if key.bits() != MODULUS_BITS.unsigned_abs() {
            return Err(KeyError::PrimeCount);
        }
        Ok(Self(key))
    }

    /// Whether the four are primes and every other number follows from them; takes a tenth of a second.
    pub(crate) fn check(&self) -> Result<(), KeyError> {
        let unsound = |_: ErrorStack| KeyError::RsaUnsound { why: "its numbers do not belong together" };
        // The check is an old interface, which wants a copy of its own: the key that signs stays with the new one.
        let der = Zeroizing::new(self.0.private_key_to_der().map_err(unsound)?);
        let copy = Rsa::private_key_from_der(&der).map_err(unsound)?;
        match copy.check_key() {
            Ok(true) => Ok(()),
            Ok(false) => Err(KeyError::RsaUnsound { why: "its numbers do not belong together" }),
            Err(errors) => Err(unsound(errors)),
        }
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.0.private_key_to_pkcs8();
        der.map(Zeroizing::new).map_err(|_| KeyError::Encoding { algorithm: Algorithm::Rs256 })
    }

    /// The public half as SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Result<Vec<u8>, KeyError> {
        self.0.public_key_to_der().map_err(|_| KeyError::Encoding { algorithm: Algorithm::Rs256 })
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signature(algorithm, message).map_err(|_| KeyError::Signing { algorithm })
    }

    fn signature(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let hash = MessageDigest::sha256();
        let mut signer = Signer::new(hash, &self.0)?;
        match algorithm {
            Algorithm::Ps256 => {
                signer.set_rsa_padding(Padding::PKCS1_PSS)?;
                signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
                signer.set_rsa_mgf1_md(hash)?;
            }
            Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => {
                signer.set_rsa_padding(Padding::PKCS1)?;
            }
        }
        signer.sign_oneshot_to_vec(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::{PublicMaterial, rsa};
    use crate::der;

    /// A sound key, one of whose numbers is then changed; the ninth is an exponent for the second prime.
    fn with_changed_number(index: usize) -> FourPrimes {
        let der = numbers::generate().unwrap().unwrap();
        FourPrimes::from_pkcs1(&der::tests::with_changed_number(&der, index)).unwrap()
    }

    fn verifies(key: &FourPrimes, signature: &[u8]) -> bool {
        let material: PublicMaterial = rsa::from_spki(Algorithm::Rs256, &key.spki().unwrap()).unwrap();
        material.parse(Algorithm::Rs256).unwrap().verify_sig(b"text", signature).is_ok()
    }

    #[test]
    fn a_slip_in_one_prime_never_leaves_in_a_signature() {
        for exponent in [6, 7] {
            let slipping = with_changed_number(exponent);
            let signature = slipping.sign(Algorithm::Rs256, b"text").unwrap();
            assert!(verifies(&slipping, &signature), "a wrong signature would betray a prime");
            assert!(slipping.check().is_err());
        }
    }

    #[test]
    fn a_sound_key_passes_the_check_and_signs() {
        let key = FourPrimes::generate().unwrap();
        assert_eq!(key.check(), Ok(()));
        assert!(verifies(&key, &key.sign(Algorithm::Rs256, b"text").unwrap()));
    }
}
