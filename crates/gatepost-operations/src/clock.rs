//! This file is where the real time is read; everything else takes it as an argument.

use std::sync::LazyLock;
use std::time::{Duration, Instant, UNIX_EPOCH};

use gatepost_core::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant; it may jump when somebody sets the clock.
    fn now(&self) -> Timestamp;

    /// Time that only goes forward, from any start: how long something has lasted is measured by it.
    fn steady(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// Where its steady time starts: when somebody first asks for it.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> Duration {
        START.elapsed()
    }
}

/// An instant as people and programs read it: RFC 3339, UTC, whole seconds.
pub fn written(instant: Timestamp) -> String {
    jiff::Timestamp::from_second(instant.seconds())
        .map_or_else(|_| instant.seconds().to_string(), |at| at.to_string())
}
