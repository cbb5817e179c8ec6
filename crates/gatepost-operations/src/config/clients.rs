//! This file is where the settings of clients stand: how many secrets each may have, and how many are kept at hand.

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "clients.max_secrets",
        Kind::Whole(1, 100),
        "5",
        "The most live secrets a client may have at a time.",
    ),
    Setting::new(
        "clients.cache_size",
        Kind::Whole(1, 100_000_000),
        "100000",
        "How many clients are kept in memory, so that their tokens need no database.",
    ),
];

/// How clients are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// The most live secrets of a client.
    pub max_secrets: usize,
    /// How many clients are kept in memory.
    pub cache_size: usize,
}

impl Clients {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            max_secrets: values.count("clients.max_secrets")?,
            cache_size: values.count("clients.cache_size")?,
        })
    }
}
