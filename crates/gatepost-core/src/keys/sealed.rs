//! This file is where private keys are sealed for the store and opened from it: AES-256-GCM under a wrapping key.
//!
//! The name of what is sealed goes in as associated data, so that two rows can't be swapped.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// A text that only the right wrapping key opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which wrapping key sealed it.
    pub wrapping: String,
    /// The nonce, then the ciphertext with its tag.
    pub bytes: Vec<u8>,
}

/// Why a sealed text stays shut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The wrapping key that sealed it is not at hand.
    #[error("it was sealed under the wrapping key `{0}`, which is not in the master key file")]
    NoSuchKey(String),
    /// The key has the right name but is another, or the bytes were changed.
    #[error(
        "the wrapping key `{0}` does not open it: the key is another one, or the stored bytes were changed"
    )]
    Shut(String),
}

/// A key that seals other keys.
pub struct WrappingKey {
    /// The key's name, which sealed texts carry.
    pub id: String,
    key: LessSafeKey,
}

impl WrappingKey {
    /// A wrapping key from its 32 bytes.
    pub fn new(id: String, bytes: &[u8; 32]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).ok()?;
        Some(Self { id, key: LessSafeKey::new(key) })
    }
}

/// The wrapping keys of the master key file.
pub struct WrappingKeys {
    current: WrappingKey,
    older: Vec<WrappingKey>,
}

impl fmt::Debug for WrappingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKeys({})", self.current.id)
    }
}

impl WrappingKeys {
    /// Seals with `current`; opens what any of them sealed.
    pub fn new(current: WrappingKey, older: Vec<WrappingKey>) -> Self {
        Self { current, older }
    }

    /// Whether `id` names the key that seals now.
    pub fn is_current(&self, id: &str) -> bool {
        self.current.id == id
    }

    /// Whether `id` names any of them.
    pub fn knows(&self, id: &str) -> bool {
        self.is_current(id) || self.older.iter().any(|key| key.id == id)
    }

    /// Seals `secret` under the current key; `name` says what it is, `nonce` must never be used twice.
    pub fn seal(&self, name: &str, nonce: [u8; 12], secret: &[u8]) -> Result<Sealed, SealError> {
        let shut = || SealError::Shut(self.current.id.clone());
        let mut text = Zeroizing::new(secret.to_vec());
        let tag = self
            .current
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut text,
            )
            .map_err(|_| shut())?;

        let bytes = [&nonce[..], &text, tag.as_ref()].concat();
        Ok(Sealed { wrapping: self.current.id.clone(), bytes })
    }

    /// Opens what was sealed under `name`.
    pub fn open(&self, name: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let shut = || SealError::Shut(sealed.wrapping.clone());
        let mut keys = std::iter::once(&self.current).chain(&self.older);
        let Some(key) = keys.find(|key| key.id == sealed.wrapping) else {
            return Err(SealError::NoSuchKey(sealed.wrapping.clone()));
        };
        let (nonce, rest) = sealed.bytes.split_first_chunk::<12>().ok_or_else(shut)?;

        let mut text = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened =
            key.key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut text).map_err(|_| shut())?;
        Ok(Zeroizing::new(opened.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(id: &str, byte: u8) -> WrappingKeys {
        WrappingKeys::new(WrappingKey::new(id.into(), &[byte; 32]).unwrap(), vec![])
    }

    #[test]
    fn what_was_sealed_opens_under_its_own_name_only() {
        let keys = keys("w1", 1);
        let sealed = keys.seal("kid-a", [7; 12], b"private").unwrap();

        assert_eq!(keys.open("kid-a", &sealed).unwrap().as_slice(), b"private");
        assert_eq!(keys.open("kid-b", &sealed), Err(SealError::Shut("w1".into())));
    }

    #[test]
    fn a_missing_a_wrong_and_a_damaged_key_are_told_apart() {
        let sealed = keys("w1", 1).seal("k", [7; 12], b"private").unwrap();
        let mut damaged = sealed.clone();
        *damaged.bytes.last_mut().unwrap() ^= 1;

        assert_eq!(keys("w2", 1).open("k", &sealed), Err(SealError::NoSuchKey("w1".into())));
        assert_eq!(keys("w1", 2).open("k", &sealed), Err(SealError::Shut("w1".into())));
        assert_eq!(keys("w1", 1).open("k", &damaged), Err(SealError::Shut("w1".into())));
        assert!(keys("w1", 1).open("k", &Sealed { wrapping: "w1".into(), bytes: vec![1] }).is_err());
    }

    #[test]
    fn an_older_wrapping_key_still_opens() {
        let sealed = keys("w1", 1).seal("k", [7; 12], b"private").unwrap();
        let older = vec![WrappingKey::new("w1".into(), &[1; 32]).unwrap()];
        let both = WrappingKeys::new(WrappingKey::new("w2".into(), &[2; 32]).unwrap(), older);

        assert_eq!(both.open("k", &sealed).unwrap().as_slice(), b"private");
    }
}
