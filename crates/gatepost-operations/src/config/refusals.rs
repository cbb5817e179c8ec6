//! This file is where the settings of the ring of refusals stand: how many are kept, of one client and in whole.

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "refusals.per_client",
        Kind::Whole(1, 10_000),
        "64",
        "How many refusals of one client are kept in memory with their reasons.",
    ),
    Setting::new(
        "refusals.total",
        Kind::Whole(1, 1_000_000),
        "4096",
        "How many refusals are kept in memory in whole.",
    ),
];

/// How many refusals are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// Of one client.
    pub per_client: usize,
    /// In whole.
    pub total: usize,
}

impl Refusals {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self { per_client: values.count("refusals.per_client")?, total: values.count("refusals.total")? })
    }
}
