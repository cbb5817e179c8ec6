//! This file is where it is counted how long requests waited for a signing thread, and which were refused instead.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;

use crate::signing::Shed;

/// The upper ends of the steps, in milliseconds; what is longer has a step of its own.
pub const STEPS_MS: [u64; 10] = [1, 3, 6, 12, 25, 50, 100, 250, 500, 1_000];

/// Waits by length.
#[derive(Debug, Default)]
pub(super) struct Waits {
    steps: [AtomicU64; STEPS_MS.len() + 1],
    micros: AtomicU64,
}

/// Waits by length, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WaitsSnapshot {
    /// How many ended within each of [`STEPS_MS`] but not within the one before, and how many took longer.
    pub steps: [u64; STEPS_MS.len() + 1],
    /// How many there were.
    pub count: u64,
    /// Microseconds they took together.
    pub micros: u64,
}

/// Requests that were refused instead of signed, in the order of [`Shed::ALL`].
#[derive(Debug, Default)]
pub(super) struct ShedCounts([AtomicU64; Shed::ALL.len()]);

/// Requests that were refused instead of signed, by why, in the order of [`Shed::ALL`].
pub type ShedSnapshot = [u64; Shed::ALL.len()];

impl ShedCounts {
    pub(super) fn add(&self, why: Shed) {
        let place = Shed::ALL.iter().position(|one| *one == why);
        if let Some(count) = place.and_then(|place| self.0.get(place)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> ShedSnapshot {
        self.0.each_ref().map(|count| count.load(Relaxed))
    }
}

impl Waits {
    pub(super) fn add(&self, waited: Duration) {
        let within = STEPS_MS.iter().position(|end| waited <= Duration::from_millis(*end));
        if let Some(step) = self.steps.get(within.unwrap_or(STEPS_MS.len())) {
            step.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn snapshot(&self) -> WaitsSnapshot {
        let steps = self.steps.each_ref().map(|step| step.load(Relaxed));
        WaitsSnapshot { steps, count: steps.iter().sum(), micros: self.micros.load(Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_counted_in_the_first_step_that_holds_it() {
        let waits = Waits::default();
        for micros in [0, 1_000, 1_001, 1_000_000, 1_000_001] {
            waits.add(Duration::from_micros(micros));
        }

        let expected =
            WaitsSnapshot { steps: [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1], count: 5, micros: 2_002_002 };
        assert_eq!(waits.snapshot(), expected);
    }
}
