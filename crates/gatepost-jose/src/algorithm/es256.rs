//! This file is where ES256 keys are made, read and used: ECDSA on P-256, signature r || s (RFC 7518 section 3.4).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
};
use zeroize::Zeroizing;

use super::{Algorithm, PublicMaterial, signature_chance};
use crate::error::KeyError;

/// r and s, 32 bytes each.
pub(super) const SIGNATURE_LENGTH: usize = 64;

/// SubjectPublicKeyInfo of a P-256 point up to and with the mark of an uncompressed point.
const SPKI_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const UNCOMPRESSED: u8 = 0x04;
const ENCODING: KeyError = KeyError::Encoding { algorithm: Algorithm::Es256 };

pub(super) fn generate() -> Result<EcdsaKeyPair, KeyError> {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .map_err(|_| KeyError::Generation { algorithm: Algorithm::Es256 })
}

pub(super) fn from_pkcs8(der: &[u8]) -> Result<EcdsaKeyPair, KeyError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| ENCODING)
}

pub(super) fn from_sec1(der: &[u8]) -> Result<EcdsaKeyPair, KeyError> {
    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| ENCODING)
}

pub(super) fn to_pkcs8(key: &EcdsaKeyPair) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document = key.to_pkcs8v1().map_err(|_| ENCODING)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

pub(super) fn public_material(key: &EcdsaKeyPair) -> Result<PublicMaterial, KeyError> {
    match key.public_key().as_ref().split_first() {
        Some((&UNCOMPRESSED, point)) => coordinates(point),
        Some(_) | None => Err(ENCODING),
    }
}

pub(super) fn from_spki(der: &[u8]) -> Result<PublicMaterial, KeyError> {
    coordinates(der.strip_prefix(&SPKI_PREFIX).ok_or(ENCODING)?)
}

fn coordinates(point: &[u8]) -> Result<PublicMaterial, KeyError> {
    let Some((x, y)) = point.split_first_chunk::<32>() else {
        return Err(ENCODING);
    };
    Ok(PublicMaterial::P256 { x: *x, y: y.try_into().map_err(|_| ENCODING)? })
}

pub(super) fn to_spki(x: &[u8; 32], y: &[u8; 32]) -> Vec<u8> {
    [&SPKI_PREFIX[..], x, y].concat()
}

/// The library checks that the point is on the curve.
pub(super) fn parse(x: &[u8; 32], y: &[u8; 32]) -> Result<ParsedPublicKey, KeyError> {
    let point = [&[UNCOMPRESSED][..], x, y].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyError::NotOnCurve { curve: "P-256" })
}

pub(super) fn sign(key: &EcdsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let signature = key
        .sign(&signature_chance(), message)
        .map_err(|_| KeyError::Signing { algorithm: Algorithm::Es256 })?;
    Ok(signature.as_ref().to_vec())
}
