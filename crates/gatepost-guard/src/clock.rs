//! This file is where the guard reads the time: the wall clock for dates, a steady clock for intervals.

use std::time::{Duration, Instant, SystemTime};

use gatepost_jose::Micros;

/// The time, as an argument; tests give their own.
pub trait Clock: Send + Sync {
    /// The time of day, which may jump.
    fn now(&self) -> Micros;

    /// Time that only goes forward, from any start.
    fn steady(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose steady time starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the guard's clock")]
    fn now(&self) -> Micros {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> Duration {
        self.start.elapsed()
    }
}
