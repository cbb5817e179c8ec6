//! This file is where signed statements that are no access tokens are opened: one key, and a type of their own.
//!
//! An access token has another type and another key, so neither can pass for the other (RFC 8725 section 3.11).

use crate::error::Rejection;
use crate::key::PublicKey;
use crate::verify::{Parts, decode};

/// The claims of a statement of exactly this `typ`, signed by this key and no other.
///
/// How long it may be is the caller's to bound.
pub fn open(statement: &str, typ: &str, key: &PublicKey) -> Result<Vec<u8>, Rejection> {
    let parts = Parts::of_any_length(statement)?;
    let header = parts.header()?;
    if header.typ.as_deref() != Some(typ) {
        return Err(Rejection::Type);
    }
    if header.alg != key.algorithm() {
        return Err(Rejection::AlgorithmMismatch);
    }
    if header.kid.as_deref() != Some(key.kid().as_str()) {
        return Err(Rejection::KeyUnknown);
    }
    let signature = decode(parts.signature)?;
    key.verify(parts.signed.as_bytes(), &signature).map_err(|_| Rejection::Signature)?;
    decode(parts.claims)
}

#[cfg(test)]
mod tests {
    use crate::algorithm::{Algorithm, RsaBits};
    use crate::key::SigningKey;
    use crate::sign;

    use super::*;

    fn signed(key: &SigningKey, typ: &str, kid: &str) -> String {
        let header = format!(r#"{{"typ":"{typ}","alg":"{}","kid":"{kid}"}}"#, key.algorithm());
        sign::compact(key, &header, r#"{"a":1}"#).unwrap()
    }

    #[test]
    fn a_statement_opens_with_its_type_and_key_only() {
        let key = SigningKey::generate(Algorithm::Es256, RsaBits::B2048).unwrap();
        let other = SigningKey::generate(Algorithm::Es256, RsaBits::B2048).unwrap();
        let kid = key.kid().as_str();
        let outcome = |text: &str| open(text, "x+jwt", key.public());

        let good = signed(&key, "x+jwt", kid);
        assert_eq!(outcome(&good).as_deref(), Ok(&br#"{"a":1}"#[..]));
        for typ in ["at+jwt", "X+JWT", "application/x+jwt", ""] {
            assert_eq!(outcome(&signed(&key, typ, kid)), Err(Rejection::Type), "{typ}");
        }
        assert_eq!(outcome(&signed(&key, "x+jwt", "other")), Err(Rejection::KeyUnknown));
        assert_eq!(outcome(&signed(&other, "x+jwt", kid)), Err(Rejection::Signature));
        let ed = SigningKey::generate(Algorithm::EdDsa, RsaBits::B2048).unwrap();
        assert_eq!(outcome(&signed(&ed, "x+jwt", kid)), Err(Rejection::AlgorithmMismatch));
        assert_eq!(outcome(&good[1..]).unwrap_err(), Rejection::Base64);
        assert_eq!(outcome("a.b"), Err(Rejection::NotThreeParts));
    }
}
