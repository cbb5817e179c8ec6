//! This file is where it is known how long a signature takes on this machine, with the keys that are in use.
//!
//! A smoothed mean in which each signature weighs by its own length: of long and short ones that is what somebody who
//! waits has before him. A thread that was held up tells of a stall and not of signatures, so no single one counts for
//! more than four times the mean.

use std::time::Duration;

/// About so many signatures make the mean.
const REMEMBERED: f64 = 32.0;
/// What a single signature counts for at most, in means.
const MOST: f64 = 4.0;

/// How long a signature takes; nothing before the first was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace(Option<f64>);

impl Pace {
    /// Takes up that a signature took so long.
    pub(super) fn took(&mut self, time: Duration) {
        let time = time.as_secs_f64();
        self.0 = Some(match self.0 {
            Some(mean) if mean > 0.0 => {
                let counted = time.min(mean * MOST);
                mean + (counted - mean) * (counted / mean / REMEMBERED)
            }
            Some(_) | None => time,
        });
    }

    /// The time of one signature; nothing before the first was made.
    pub(super) fn signing(&self) -> Option<Duration> {
        self.0.map(Duration::from_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean, in milliseconds, after these.
    fn after(milliseconds: impl IntoIterator<Item = u64>) -> f64 {
        let mut pace = Pace::default();
        for one in milliseconds {
            pace.took(Duration::from_millis(one));
        }
        pace.signing().unwrap().as_secs_f64() * 1e3
    }

    #[test]
    fn the_first_signature_is_the_mean_and_another_pace_becomes_it() {
        assert!(Pace::default().signing().is_none());
        assert!((after([6]) - 6.0).abs() < 1e-9);
        let slower = after(std::iter::once(6).chain(std::iter::repeat_n(12, 100)));
        assert!((11.0..=12.0).contains(&slower), "{slower}");
        let quicker = after(std::iter::once(12).chain(std::iter::repeat_n(6, 200)));
        assert!((6.0..=7.0).contains(&quicker), "{quicker}");
    }

    #[test]
    fn a_thread_that_was_held_up_hardly_counts() {
        assert!(after([6, 6, 1_000]) < 9.0);
    }

    #[test]
    fn long_signatures_weigh_more_than_short_ones() {
        let mixed = after((0..900).map(|number| if number % 9 == 0 { 8 } else { 1 }));
        assert!((3.5..6.0).contains(&mixed), "{mixed}: half of the time goes to each");
    }

    #[test]
    fn a_clock_that_saw_no_time_pass_is_no_fault() {
        assert!((after([0, 0, 6]) - 6.0).abs() < 1e-9);
    }
}
