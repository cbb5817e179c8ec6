//! This file is where the public keys of clients are: what `private_key_jwt` is verified with.

use gatepost_jose::Jwk;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

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
