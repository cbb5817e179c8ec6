//! This folder is where signing keys are: whose they are, where they are in their lives, how they are sealed at rest.

pub mod rotation;
mod sealed;

pub use sealed::{SealError, Sealed, WrappingKey, WrappingKeys};

use gatepost_jose::{Algorithm, Jwk, KeyId, PublicKey};
use serde::{Deserialize, Serialize};

use crate::ids::ApiId;
use crate::time::Timestamp;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// In the JWKS, not signing yet.
    Published,
    /// Signs new tokens.
    Signing,
    /// Signs no more; its tokens are still valid.
    Verifying,
    /// Its last token has expired.
    Retired,
    /// Refused from now on, whatever it signed.
    Revoked,
}

impl KeyState {
    /// The state as people and programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Verifying => "verifying",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether tokens of a key in this state are valid.
    pub const fn verifies(self) -> bool {
        match self {
            Self::Published | Self::Signing | Self::Verifying => true,
            Self::Retired | Self::Revoked => false,
        }
    }
}

/// Whose key it is: it signs nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOwner {
    /// The tokens of this API.
    Api(ApiId),
    /// What the server itself says: revocation feed, signed introspection answers, audit checkpoints. In no JWKS.
    Service,
}

/// A signing key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The RFC 7638 thumbprint of the public half.
    pub kid: KeyId,
    /// Whose it is.
    pub owner: KeyOwner,
    /// Its one algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// The public half.
    pub public: Jwk,
    /// The private half (PKCS#8), sealed under a wrapping key.
    pub sealed: Sealed,
    /// When it was made or imported.
    pub created: Timestamp,
    /// From when on it signs, or is to sign.
    pub signs_from: Timestamp,
    /// When its last token has expired, once it signs no more.
    pub verifies_until: Option<Timestamp>,
}

/// The first key of an owner: nobody can have cached a set without it, so it signs at once.
pub fn first(owner: KeyOwner, public: &PublicKey, sealed: Sealed, now: Timestamp) -> StoredKey {
    StoredKey {
        kid: public.kid().clone(),
        owner,
        algorithm: public.algorithm(),
        state: KeyState::Signing,
        public: public.to_jwk(),
        sealed,
        created: now,
        signs_from: now,
        verifies_until: None,
    }
}
