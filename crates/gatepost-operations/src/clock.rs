//! This file is where the real time is read; everything else takes it as an argument.

use std::time::UNIX_EPOCH;

use gatepost_core::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// An instant as people and programs read it: RFC 3339, UTC, whole seconds.
pub fn written(instant: Timestamp) -> String {
    jiff::Timestamp::from_second(instant.seconds())
        .map_or_else(|_| instant.seconds().to_string(), |at| at.to_string())
}
