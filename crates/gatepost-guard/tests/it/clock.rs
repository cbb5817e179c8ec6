//! This file is where the tests keep a clock that moves when they say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use gatepost_guard::Clock;
use gatepost_guard::jose::Micros;

/// When all tests begin.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A clock for a guard and its test.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Times>);

struct Times {
    wall: AtomicI64,
    steady: AtomicU64,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self::at(NOW)
    }

    pub(crate) fn at(seconds: i64) -> Self {
        Self(Arc::new(Times { wall: AtomicI64::new(seconds), steady: AtomicU64::new(0) }))
    }

    /// Time passes on both clocks.
    pub(crate) fn pass(&self, seconds: u32) {
        self.0.steady.fetch_add(u64::from(seconds), Ordering::SeqCst);
        self.jump(i64::from(seconds));
    }

    /// Somebody sets the wall clock.
    pub(crate) fn jump(&self, seconds: i64) {
        self.0.wall.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.wall.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros::from_seconds(self.seconds()).unwrap()
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(self.0.steady.load(Ordering::SeqCst))
    }
}
