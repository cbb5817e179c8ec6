//! This file is where the setting of revocations stands: how many a client may make.

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[Setting::new(
    "revocations.max_per_client",
    Kind::Whole(1, 1_000_000),
    "1000",
    "How many tokens that have not expired a client may give back at `/oauth2/revoke`; beyond it 503. \
     Commands of operators are not bound.",
)];

/// How many revocations there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    /// Of live tokens that one client gave back.
    pub max_per_client: usize,
}

impl Revocations {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self { max_per_client: values.count("revocations.max_per_client")? })
    }
}
