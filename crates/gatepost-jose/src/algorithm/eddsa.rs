//! This file is where EdDSA keys are made, read and used: Ed25519 only (RFC 8037, RFC 8032).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use zeroize::Zeroizing;

use super::{Algorithm, PublicMaterial};
use crate::error::KeyError;

/// R and S, 32 bytes each.
pub(super) const SIGNATURE_LENGTH: usize = 64;

/// SubjectPublicKeyInfo of an Ed25519 key up to the 32 bytes of the point (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ENCODING: KeyError = KeyError::Encoding { algorithm: Algorithm::EdDsa };

pub(super) fn generate() -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::generate().map_err(|_| KeyError::Generation { algorithm: Algorithm::EdDsa })
}

pub(super) fn from_pkcs8(der: &[u8]) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_pkcs8(der).map_err(|_| ENCODING)
}

/// Version 1, without the public key: it is what OpenSSL reads and writes.
pub(super) fn to_pkcs8(key: &Ed25519KeyPair) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document = key.to_pkcs8v1().map_err(|_| ENCODING)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

pub(super) fn public_material(key: &Ed25519KeyPair) -> Result<PublicMaterial, KeyError> {
    let x = key.public_key().as_ref().try_into().map_err(|_| ENCODING)?;
    Ok(PublicMaterial::Ed25519 { x })
}

pub(super) fn from_spki(der: &[u8]) -> Result<PublicMaterial, KeyError> {
    let point = der.strip_prefix(&SPKI_PREFIX).ok_or(ENCODING)?;
    Ok(PublicMaterial::Ed25519 { x: point.try_into().map_err(|_| ENCODING)? })
}

pub(super) fn to_spki(x: &[u8; 32]) -> Vec<u8> {
    [&SPKI_PREFIX[..], x].concat()
}

pub(super) fn parse(x: &[u8; 32]) -> Result<ParsedPublicKey, KeyError> {
    ParsedPublicKey::new(&ED25519, x).map_err(|_| KeyError::NotOnCurve { curve: "Ed25519" })
}

pub(super) fn sign(key: &Ed25519KeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let signature = key.try_sign(message).map_err(|_| KeyError::Signing { algorithm: Algorithm::EdDsa })?;
    Ok(signature.as_ref().to_vec())
}
