//! This file is where the settings of the signing pool stand: its threads, its places and its patience.

use std::time::Duration;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new("signing.threads", Kind::Whole(0, 1024), "0", "Threads that sign tokens.")
        .noted("as many as there are cores"),
    Setting::new(
        "signing.queue",
        Kind::Whole(2, 1_000_000),
        "256",
        "How many requests may wait for an RSA signature; one that finds no place gets 503.",
    ),
    Setting::new(
        "signing.per_client",
        Kind::Whole(1, 1_000_000),
        "64",
        "How many of them may be of one client; a client that asks on so many connections is served on all.",
    ),
    Setting::new(
        "signing.target",
        Kind::Duration(Duration::from_millis(1), Duration::from_secs(60)),
        "25ms",
        "How long a request of a client that asks for more than can be signed waits before it gets 503.",
    ),
    Setting::new(
        "signing.deadline",
        Kind::Duration(Duration::from_millis(1), Duration::from_secs(60)),
        "2s",
        "How long any request waits for its signature before it gets 503.",
    ),
];

/// The signing pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// Its threads; 0 means as many as there are cores.
    pub threads: usize,
    /// How many requests may wait.
    pub queue: usize,
    /// How many of one client.
    pub per_client: usize,
    /// How long a request waits of a client that asks for too much.
    pub target: Duration,
    /// How long any request waits.
    pub deadline: Duration,
}

impl Signing {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            threads: values.count("signing.threads")?,
            queue: values.count("signing.queue")?,
            per_client: values.count("signing.per_client")?,
            target: values.duration("signing.target")?,
            deadline: values.duration("signing.deadline")?,
        })
    }
}
