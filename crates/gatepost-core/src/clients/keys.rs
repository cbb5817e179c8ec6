//! This file is where it is decided which public keys a client may get and lose.

use gatepost_jose::verify::MAX_CANDIDATES;

use super::ClientRecord;
use super::methods::Method;
use super::public_key::{ClientKey, ClientKeyId};
use crate::change::Change;
use crate::secret::stored::SecretState;
use crate::time::Timestamp;

/// How many keys and addresses of key sets a client may have: as many as are tried for an assertion that names none.
pub const MAX_KEYS: usize = MAX_CANDIDATES;

/// Why a key can't be added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyConflict {
    /// The client has as many as it may.
    TooMany,
    /// It has this one already.
    Same,
    /// It has none of that id.
    Unknown,
    /// It is the last thing that the client can authenticate with; only force removes it.
    Last,
}

/// The client with one more key.
pub fn add_key(owner: &ClientRecord, key: ClientKey) -> Result<Change, KeyConflict> {
    if owner.keys.iter().any(|known| known.material.is_same(&key.material)) {
        return Err(KeyConflict::Same);
    }
    if owner.keys.len() >= MAX_KEYS {
        return Err(KeyConflict::TooMany);
    }
    Ok(Change::ClientKeyAdded { client: owner.client.id.clone(), key })
}

/// The client without the key `id`; the last usable credential goes only with `force`.
pub fn remove_key(
    owner: &ClientRecord,
    id: ClientKeyId,
    force: bool,
    now: Timestamp,
) -> Result<Change, KeyConflict> {
    if owner.keys.iter().all(|key| key.id != id) {
        return Err(KeyConflict::Unknown);
    }
    let is_last = owner.may_sign() && owner.keys.len() == 1 && !owner.may_use_secret(now);
    if is_last && !force {
        return Err(KeyConflict::Last);
    }
    Ok(Change::ClientKeyRemoved { client: owner.client.id.clone(), key: id })
}

impl ClientRecord {
    /// Whether it has a key and may authenticate with it.
    pub fn has_usable_key(&self) -> bool {
        self.may_sign() && !self.keys.is_empty()
    }

    fn may_sign(&self) -> bool {
        self.client.auth_method.is_none_or(|pinned| pinned == Method::PrivateKeyJwt)
    }

    fn may_use_secret(&self, now: Timestamp) -> bool {
        self.client.may_use_secrets()
            && self.secrets.iter().any(|secret| secret.state(now) == SecretState::Active)
    }
}
