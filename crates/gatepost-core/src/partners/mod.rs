//! This folder is where partners are: the companies that may call the operator's APIs.

mod register;

pub use register::{register, rename, resume, suspend};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::name::{Name, Slug};
use crate::time::Timestamp;

/// What a partner is known by in tokens (`partner_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(pub Uuid);

/// Whether something may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    Active,
    /// Stopped by an operator until resumed.
    Suspended,
}

impl Status {
    /// The status as people and programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A company that may call the operator's APIs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// What tokens know it by.
    pub id: PartnerId,
    /// What commands know it by; unique.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
    /// Whether its clients may get tokens.
    pub status: Status,
    /// When it was registered.
    pub created: Timestamp,
    /// Counts its changes, so that a change made for an older state is noticed.
    pub version: i64,
}
