//! This file is where keys live once they are parsed: [`SigningKey`], [`PublicKey`] and the [`KeyId`] of both.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Primes, PrivateKey, PublicMaterial, RsaBits};
use crate::error::KeyError;
use crate::jwk::Jwk;
use crate::{pem, thumbprint};

const MAX_KEY_ID: usize = 255;
const PRIVATE_LABELS: &str = "`PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`";
const PUBLIC_LABELS: &str = "`PUBLIC KEY` or `RSA PUBLIC KEY`";

/// A key's id: for Gatepost's own keys the RFC 7638 thumbprint, for others' keys the `kid` of their JWK.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > MAX_KEY_ID || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError::KeyId);
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A private key, parsed once; shared by reference among threads.
///
/// It can be neither cloned nor printed.
pub struct SigningKey {
    private: PrivateKey,
    public: PublicKey,
}

impl SigningKey {
    /// A new key; `bits` counts for RSA only.
    pub fn generate(algorithm: Algorithm, bits: RsaBits) -> Result<Self, KeyError> {
        Self::of(PrivateKey::generate(algorithm, bits)?)
    }

    /// A new RSA key of four primes; it has 4096 bits. Refused for other algorithms and by builds that can't hold one.
    pub fn generate_of_four_primes(algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::of(PrivateKey::generate_of_four_primes(algorithm)?)
    }

    /// From PKCS#8 (RFC 5958).
    pub fn from_pkcs8_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        Self::of(PrivateKey::from_pkcs8(algorithm, der)?)
    }

    /// From PEM: PKCS#8, PKCS#1 (`RSA PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`), unencrypted.
    ///
    /// A PEM comes from elsewhere, so all its numbers are checked.
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        let block = pem::read(text)?;
        let private = match block.label.as_str() {
            "PRIVATE KEY" => PrivateKey::from_pkcs8(algorithm, &block.der)?,
            "RSA PRIVATE KEY" if algorithm.is_rsa() => PrivateKey::from_traditional(algorithm, &block.der)?,
            "EC PRIVATE KEY" if algorithm == Algorithm::Es256 => {
                PrivateKey::from_traditional(algorithm, &block.der)?
            }
            _ => return Err(KeyError::WrongPem { found: block.label, wanted: PRIVATE_LABELS }),
        };
        private.check()?;
        Self::of(private)
    }

    fn of(private: PrivateKey) -> Result<Self, KeyError> {
        let public = PublicKey::of(private.algorithm(), private.public_material()?, None)?;
        Ok(Self { private, public })
    }

    /// The signature over `message`, of [`Self::signature_len`] bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.private.sign(message)
    }

    /// Signs a text and verifies it; a key is used only after this passed.
    pub fn self_test(&self) -> Result<(), KeyError> {
        const TEXT: &[u8] = b"gatepost self test";
        self.public.verify(TEXT, &self.sign(TEXT)?)
    }

    /// The key as PKCS#8, to be sealed; the bytes are wiped when dropped.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.private.to_pkcs8()
    }

    /// The algorithm, the only one this key is used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        self.public.kid()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// How many bytes a signature has.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        self.public.signature_len()
    }

    /// Of how many primes an RSA key is; nothing for others.
    #[must_use]
    pub fn primes(&self) -> Option<Primes> {
        self.private.primes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("alg", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// A public key, checked and parsed once; a clone costs one reference count.
///
/// Refused are RSA keys outside 2048 to 8192 bits, with an even modulus, an exponent below 65537 or even, or
/// leading zeros, and points that are not on their curve.
#[derive(Clone)]
pub struct PublicKey {
    parsed: Arc<Parsed>,
    named_in_jti: bool,
}

struct Parsed {
    algorithm: Algorithm,
    kid: KeyId,
    key: ParsedPublicKey,
    material: PublicMaterial,
}

impl PublicKey {
    /// From a JWK; its `kid`, if it has one, becomes the id, else the thumbprint.
    ///
    /// `alg` may be left out for EC P-256 and OKP Ed25519, which have only one here.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let (algorithm, material) = jwk.material()?;
        let kid = jwk.kid.as_deref().map(str::parse).transpose()?;
        let key = Self::of(algorithm, material, kid)?;
        Ok(key.named_in_jti(jwk.jti_names_key == Some(true)))
    }

    /// From PEM: SubjectPublicKeyInfo (`PUBLIC KEY`) or PKCS#1 (`RSA PUBLIC KEY`).
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        let block = pem::read(text)?;
        let material = match block.label.as_str() {
            "PUBLIC KEY" => PublicMaterial::from_spki(algorithm, &block.der)?,
            "RSA PUBLIC KEY" => PublicMaterial::from_pkcs1(algorithm, &block.der)?,
            _ => return Err(KeyError::WrongPem { found: block.label, wanted: PUBLIC_LABELS }),
        };
        Self::of(algorithm, material, None)
    }

    fn of(algorithm: Algorithm, material: PublicMaterial, kid: Option<KeyId>) -> Result<Self, KeyError> {
        let key = material.parse(algorithm)?;
        let kid = kid.unwrap_or_else(|| KeyId(thumbprint::thumbprint(&material).into()));
        Ok(Self { parsed: Arc::new(Parsed { algorithm, kid, key, material }), named_in_jti: false })
    }

    /// Checks a signature; its length must be exactly that of the key's signatures.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        if signature.len() != self.signature_len() {
            return Err(KeyError::Signature);
        }
        self.parsed.key.verify_sig(message, signature).map_err(|_| KeyError::Signature)
    }

    /// The key as SubjectPublicKeyInfo in PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        Ok(pem::write("PUBLIC KEY", &self.parsed.material.to_spki()?))
    }

    /// The key as a JWK with `use` sig, `alg` and `kid`.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        let jwk = Jwk::of(self.algorithm(), self.kid().as_str(), &self.parsed.material);
        Jwk { jti_names_key: self.named_in_jti.then_some(true), ..jwk }
    }

    /// The key as one whose every token without `kid` names it in its `jti`, or not every.
    #[must_use]
    pub fn named_in_jti(self, always: bool) -> Self {
        Self { named_in_jti: always, ..self }
    }

    /// Whether every token of the key that has no `kid` names it in its `jti` ([`crate::key_in_jti`]).
    #[must_use]
    pub fn is_named_in_jti(&self) -> bool {
        self.named_in_jti
    }

    /// The RFC 7638 thumbprint, also of a key whose `kid` is another text.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint::thumbprint(&self.parsed.material)
    }

    /// The algorithm, the only one this key is used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.parsed.algorithm
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.parsed.kid
    }

    /// How many bytes a signature has.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        self.parsed.material.signature_length()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.named_in_jti == other.named_in_jti
            && self.parsed.algorithm == other.parsed.algorithm
            && self.parsed.kid == other.parsed.kid
            && self.parsed.material == other.parsed.material
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("alg", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}
