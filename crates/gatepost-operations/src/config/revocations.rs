//! This file is where the settings of revocations stand: how many a client may make, and how many an API is told of.

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "revocations.max_per_client",
        Kind::Whole(1, 1_000_000),
        "1000",
        "How many tokens that have not expired a client may give back at `/oauth2/revoke`; beyond it 503. \
         Commands of operators are not bound.",
    ),
    Setting::new(
        "revocations.max_per_api",
        // Guards read no feed beyond 16 MiB: some 133,000 tokens of the profile passport, 188,000 of the other.
        Kind::Whole(1, 120_000),
        "100000",
        "How many single tokens of an API may be revoked that have not expired; beyond it 503 at `/oauth2/revoke`, and \
         `gatepost token revoke` refuses too. \
         All tokens of a client or a partner can be ended at any time.",
    ),
];

/// How many revocations there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocations {
    /// Of live tokens that one client gave back.
    pub max_per_client: usize,
    /// Of live single tokens of one API.
    pub max_per_api: usize,
}

impl Revocations {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            max_per_client: values.count("revocations.max_per_client")?,
            max_per_api: values.count("revocations.max_per_api")?,
        })
    }
}
