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
        "1024",
        "How many requests may wait for an RSA signature; one that finds no place gets 503. \
         Of one partner no more may wait than places are free, so half of them at most.",
    ),
    Setting::new(
        "signing.per_client",
        Kind::Whole(1, 1_000_000),
        "256",
        "How many of them may be of one client. A client that asks on so many connections is served on all, \
         unless the clients of its partner together want more than the places that their partner may have.",
    ),
    Setting::new(
        "signing.target",
        Kind::Whole(1, 1000),
        "5",
        "How long a request waits before it gets 503 while more is asked for than can be signed, in times of one signature, as measured.",
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
    /// How long a request waits while too much is asked for, in signing times.
    pub target: u32,
    /// How long any request waits.
    pub deadline: Duration,
}

#[cfg(any(test, feature = "testing"))]
impl Default for Signing {
    /// As shipped.
    fn default() -> Self {
        Self { threads: 0, queue: 1024, per_client: 256, target: 5, deadline: Duration::from_secs(2) }
    }
}

impl Signing {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            threads: values.count("signing.threads")?,
            queue: values.count("signing.queue")?,
            per_client: values.count("signing.per_client")?,
            target: u32::try_from(values.count("signing.target")?).unwrap_or(u32::MAX),
            deadline: values.duration("signing.deadline")?,
        })
    }
}
