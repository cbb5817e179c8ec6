//! This file is where several public keys are read and written as a JWK set (RFC 7517 section 5).

use std::collections::HashSet;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::KeyError;
use crate::jwk::Jwk;
use crate::key::PublicKey;
use crate::strict_json::Object;

/// How many keys a set may have; a set that is larger is refused whole.
pub const MAX_KEYS: usize = 100;

/// A JWK set: what is published, or the usable part of what was fetched.
#[derive(Debug, Clone, Default, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    #[serde(skip)]
    usable: Vec<PublicKey>,
}

impl JwkSet {
    /// The set to publish these keys with.
    #[must_use]
    pub fn of(keys: &[PublicKey]) -> Self {
        Self { keys: keys.iter().map(PublicKey::to_jwk).collect(), usable: keys.to_vec() }
    }

    /// Reads a set. Keys that can't be used (symmetric, private, too small, of an unknown kind) are skipped; a set
    /// in which two usable keys share an id is refused whole, because nobody can say which one is meant.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        let mut set = Self::default();
        let mut ids = HashSet::new();
        for raw in raw_keys(json)? {
            let Ok(jwk) = Jwk::parse(raw.get().as_bytes()) else { continue };
            let Ok(key) = PublicKey::from_jwk(&jwk) else { continue };
            if !ids.insert(key.kid().clone()) {
                return Err(KeyError::SharedKid);
            }
            set.keys.push(jwk);
            set.usable.push(key);
        }
        Ok(set)
    }

    /// The keys as JWK.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The keys, ready to verify with.
    #[must_use]
    pub fn usable(&self) -> Vec<PublicKey> {
        self.usable.clone()
    }
}

fn raw_keys(json: &[u8]) -> Result<Vec<&RawValue>, KeyError> {
    let set = Object::shallow(json).map_err(|error| KeyError::JwkShape { why: error.why() })?;
    let keys = set.get("keys").ok_or(KeyError::JwkShape { why: "a set needs the member `keys`" })?;
    let keys: Vec<&RawValue> =
        serde_json::from_str(keys.get()).map_err(|_| KeyError::JwkShape { why: "`keys` is not an array" })?;
    if keys.len() > MAX_KEYS {
        return Err(KeyError::TooManyKeys { limit: MAX_KEYS });
    }
    Ok(keys)
}
