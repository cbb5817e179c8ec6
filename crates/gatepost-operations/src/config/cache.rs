//! This file is where the setting of freshness stands: how often the store is asked for news.

use std::time::Duration;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[Setting::new(
    "cache.refresh",
    // Revocation is promised within a second, so asking less often than that can't be allowed.
    Kind::Duration(Duration::from_millis(10), Duration::from_secs(1)),
    "500ms",
    "How often the store is asked for changes that other nodes and commands made.",
)];

/// How fresh what is kept in memory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// How often the store is asked for news.
    pub refresh: Duration,
}

impl Cache {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self { refresh: values.duration("cache.refresh")? })
    }
}
