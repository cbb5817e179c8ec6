//! This file is where a public key of a client is, given or in a key set of its own, and where assertions find those that fit.

use gatepost_jose::verify::MAX_CANDIDATES;
use gatepost_jose::{Header, Jwk, KeyError, PublicKey};
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

impl KeyMaterial {
    /// Whether both are one key, under whatever name, or one address.
    pub(super) fn is_same(&self, other: &Self) -> bool {
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
        // What only our own key sets say of their keys means nothing in one of a client.
        let key = PublicKey::from_jwk(jwk)?.named_in_jti(false);
        Ok(Self { key, is_named: jwk.kid.is_some() })
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
