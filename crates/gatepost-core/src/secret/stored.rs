//! This file is where a secret stands as it is kept: its one-way tag and its life, whoever it proves.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SecretTag;
use crate::name::Name;
use crate::time::Timestamp;

/// What a secret is known by in lists; it tells nothing about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretId(pub Uuid);

/// A secret as it is kept: its one-way tag and its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// What lists know it by.
    pub id: SecretId,
    /// What people call it.
    pub label: Option<Name>,
    /// The one-way form.
    pub tag: SecretTag,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is accepted; at once when `None`.
    pub not_before: Option<Timestamp>,
    /// From when on it is no longer accepted.
    pub expires: Option<Timestamp>,
    /// When an operator ended it.
    pub ended: Option<Timestamp>,
}

/// Where a secret is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// Not accepted yet.
    Pending,
    /// Accepted.
    Active,
    /// Its time is over.
    Expired,
    /// An operator ended it.
    Ended,
}

impl SecretState {
    /// The state as people and programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

impl StoredSecret {
    /// Where it is in its life at `now`.
    pub fn state(&self, now: Timestamp) -> SecretState {
        if self.ended.is_some_and(|at| at <= now) {
            return SecretState::Ended;
        }
        if self.expires.is_some_and(|at| at <= now) {
            return SecretState::Expired;
        }
        match self.not_before {
            Some(at) if at > now => SecretState::Pending,
            Some(_) | None => SecretState::Active,
        }
    }

    /// Whether it is accepted now or will be: it takes one of the places that a client has for secrets.
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.state(now) {
            SecretState::Pending | SecretState::Active => true,
            SecretState::Expired | SecretState::Ended => false,
        }
    }
}

/// From when until when a secret shall be accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// From when on; at once when `None`.
    pub not_before: Option<Timestamp>,
    /// From when on no longer; for ever when `None`.
    pub expires: Option<Timestamp>,
}

/// Why no secret can have that term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadTerm {
    /// It is over.
    Over,
    /// It ends before it begins.
    Never,
}

impl Term {
    /// Whether a secret of that term would be accepted at some time.
    pub fn check(self, now: Timestamp) -> Result<(), BadTerm> {
        let Some(expires) = self.expires else {
            return Ok(());
        };
        if expires <= now {
            return Err(BadTerm::Over);
        }
        if self.not_before.is_some_and(|from| from >= expires) { Err(BadTerm::Never) } else { Ok(()) }
    }
}
