//! This file is where the settings of freshness stand: how often the store is asked for news, and how long a node
//! goes on without any.

use std::time::Duration;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "cache.refresh",
        // Revocation is promised within a second, so asking less often than that can't be allowed.
        Kind::Duration(Duration::from_millis(10), Duration::from_secs(1)),
        "500ms",
        "How often the store is asked for changes that other nodes and commands made.",
    ),
    Setting::new(
        "cache.offline_grace",
        // Less than this would turn a failover of the database into an outage.
        Kind::Duration(Duration::from_secs(10), DAY),
        "10m",
        "How long a node that can't reach its store goes on serving the clients it knows. \
         After that the token doors answer 503 and forward-auth 403, until the store was heard again.",
    ),
];

/// How fresh what is kept in memory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// How often the store is asked for news.
    pub refresh: Duration,
    /// How long a node goes on while the store is away.
    pub offline_grace: Duration,
}

impl Cache {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            refresh: values.duration("cache.refresh")?,
            offline_grace: values.duration("cache.offline_grace")?,
        })
    }
}
