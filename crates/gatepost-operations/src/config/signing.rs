//! This file is where the settings of the signing pool stand: its threads, its queue and its patience.

use std::time::Duration;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new("signing.threads", Kind::Whole(0, 1024), "0", "Threads that sign tokens.")
        .noted("as many as there are cores"),
    Setting::new(
        "signing.queue",
        Kind::Whole(1, 1_000_000),
        "64",
        "Places in the queue of the signing threads; a request that finds none free gets 503.",
    ),
    Setting::new(
        "signing.deadline",
        Kind::Duration(Duration::from_millis(1), Duration::from_secs(60)),
        "2s",
        "How long a request waits for its signature before it gets 503.",
    ),
];

/// The signing pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// Its threads; 0 means as many as there are cores.
    pub threads: usize,
    /// Places in its queue.
    pub queue: usize,
    /// How long a request waits for its signature.
    pub deadline: Duration,
}

impl Signing {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            threads: values.count("signing.threads")?,
            queue: values.count("signing.queue")?,
            deadline: values.duration("signing.deadline")?,
        })
    }
}
