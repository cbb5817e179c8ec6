//! This file is where the public keys of clients are: what `private_key_jwt` is verified with.

use gatepost_jose::verify::MAX_CANDIDATES;
use gatepost_jose::{Header, Jwk, KeyError, PublicKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClientRecord, Method, SecretState};
use crate::change::Change;
use crate::time::Timestamp;

/// How many keys and addresses of key sets a client may have: as many as are tried for an assertion that names none.
pub const MAX_KEYS: usize = MAX_CANDIDATES;

/// What a client's key is known by in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientKeyId(pub Uuid);

/// Where a client's public key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMaterial {
    /// Here.
    Jwk(Jwk),
    /// In a key set at this https address, which the client keeps up to date.
    JwksUri(String),
}

/// A public key of a client, or a place where its keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKey {
    /// What lists know it by.
    pub id: ClientKeyId,
    /// The key, or where it is.
    pub material: KeyMaterial,
    /// When it was added.
    pub created: Timestamp,
}

/// A key that an assertion may be verified with.
#[derive(Clone, Debug)]
pub struct AssertionKey {
    key: PublicKey,
    /// Whether the client gave it a `kid`. Without one, whatever the assertion calls its key is no reason against it.
    is_named: bool,
}

impl AssertionKey {
    /// The key of a JWK.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        Ok(Self { key: PublicKey::from_jwk(jwk)?, is_named: jwk.kid.is_some() })
    }

    /// Whether the header speaks of this key, as far as it says.
    pub fn fits(&self, header: &Header) -> bool {
        self.key.algorithm() == header.alg && (!self.is_named || self.is_called(header).unwrap_or(true))
    }

    /// The keys that the header may speak of, those that it names first, as many as may be tried.
    pub(crate) fn fitting(keys: &[Self], header: &Header) -> Vec<PublicKey> {
        let mut fitting: Vec<_> = keys.iter().filter(|key| key.fits(header)).collect();
        fitting.sort_by_key(|key| !key.is_called(header).unwrap_or(false));
        fitting.into_iter().take(MAX_CANDIDATES).map(|one| one.key.clone()).collect()
    }

    fn is_called(&self, header: &Header) -> Option<bool> {
        header.kid.as_ref().map(|kid| kid == self.key.kid().as_str())
    }
}

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

impl KeyMaterial {
    /// Whether both are one key, under whatever name, or one address.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Jwk(one), Self::Jwk(other)) => {
                let thumbprint = |jwk| PublicKey::from_jwk(jwk).map(|key| key.thumbprint());
                one == other || thumbprint(one).is_ok_and(|same| thumbprint(other) == Ok(same))
            }
            (Self::JwksUri(one), Self::JwksUri(other)) => one == other,
            (Self::Jwk(_), Self::JwksUri(_)) | (Self::JwksUri(_), Self::Jwk(_)) => false,
        }
    }
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
