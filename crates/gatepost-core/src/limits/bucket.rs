//! This file is where a rate is held to: the generic cell rate algorithm, with one instant as its whole memory.
//!
//! The instant says until when what was admitted is paid for. Each admission moves it on by the time that the rate
//! allows for one; who would move it further ahead than a whole window waits. So as many as the rate says are admitted
//! at once, and one more each time its share of the window has passed: within any window at most twice the rate.
//! An instant further ahead than a window means that the clock went back; it counts as a window that is used up.

use std::time::Duration;

use super::Rate;
use crate::time::Timestamp;

/// What comes of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is within the rate.
    Admitted {
        /// Until when is paid for now.
        until: Timestamp,
        /// How many more are admitted at once.
        remaining: u32,
        /// How long it takes until all of them are again.
        whole_in: Duration,
    },
    /// It is over the rate.
    Refused {
        /// Until when is paid for; less than was given where the clock went back.
        until: Timestamp,
        /// How long to wait for the next.
        retry_in: Duration,
    },
}

/// Holds one more against the rate, where everything up to `until` is paid for; a rate that is off admits all.
pub fn admit(rate: Rate, until: Timestamp, now: Timestamp) -> Verdict {
    let Some(share) = share(rate) else {
        return Verdict::Admitted { until, remaining: u32::MAX, whole_in: Duration::ZERO };
    };
    let whole = share.saturating_mul(rate.count());
    let until = until.min(now.after(whole));

    let next = until.max(now).after(share);
    let ahead = next.since(now);
    if ahead > whole {
        return Verdict::Refused { until, retry_in: ahead.saturating_sub(whole) };
    }
    let left = whole.saturating_sub(ahead).as_micros().checked_div(share.as_micros());
    let remaining = left.and_then(|left| u32::try_from(left).ok()).unwrap_or(0);
    Verdict::Admitted { until: next, remaining, whole_in: ahead }
}

/// How long the next waits where none is left and all are there again in `whole_in`.
pub(super) fn next_in(rate: Rate, whole_in: Duration) -> Duration {
    let others = rate.count().saturating_sub(1);
    whole_in.saturating_sub(share(rate).unwrap_or_default().saturating_mul(others))
}

/// The time that the rate allows for one.
fn share(rate: Rate) -> Option<Duration> {
    rate.window().checked_div(rate.count()).map(|share| Duration::from_micros(micros(share).max(1)))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_795_000_000_000_000;

    /// What comes of asking at each of these milliseconds after the start: the number that remain, or the wait.
    fn ask(rate: &str, at_millis: &[i64]) -> Vec<Result<u32, u128>> {
        let mut until = Timestamp::from_micros(0);
        let at = |millis: &i64| Timestamp::from_micros(START + millis * 1_000);
        let verdicts =
            at_millis.iter().map(|millis| match admit(Rate::parse(rate).unwrap(), until, at(millis)) {
                Verdict::Admitted { until: next, remaining, .. } => {
                    until = next;
                    Ok(remaining)
                }
                Verdict::Refused { until: next, retry_in } => {
                    until = next;
                    Err(retry_in.as_millis())
                }
            });
        verdicts.collect()
    }

    #[test]
    fn as_many_as_the_rate_says_are_admitted_at_once_and_not_one_more() {
        assert_eq!(ask("3/min", &[0, 0, 0, 0, 0]), [Ok(2), Ok(1), Ok(0), Err(20_000), Err(20_000)]);
        assert_eq!(ask("1/s", &[0, 0, 999, 1_000, 1_001]), [Ok(0), Err(1_000), Err(1), Ok(0), Err(999)]);
    }

    #[test]
    fn one_more_is_admitted_each_time_its_share_of_the_window_has_passed() {
        let asked = [0, 0, 0, 19_999, 20_000, 20_001, 40_000, 100_000, 100_000, 100_000, 100_000];
        let answers =
            [Ok(2), Ok(1), Ok(0), Err(1), Ok(0), Err(19_999), Ok(0), Ok(2), Ok(1), Ok(0), Err(20_000)];
        assert_eq!(ask("3/min", &asked), answers);
    }

    #[test]
    fn who_took_the_last_is_told_the_wait_of_who_comes_after() {
        for rate in ["3/min", "7/min", "2/h", "1/s"].map(|text| Rate::parse(text).unwrap()) {
            let now = Timestamp::from_micros(START);
            let (mut until, mut told) = (Timestamp::from_micros(0), None);
            let wait = loop {
                match admit(rate, until, now) {
                    Verdict::Admitted { until: next, whole_in, .. } => {
                        (until, told) = (next, Some(next_in(rate, whole_in)));
                    }
                    Verdict::Refused { retry_in, .. } => break retry_in,
                }
            };
            assert_eq!(told, Some(wait), "{rate:?}");
        }
    }

    #[test]
    fn a_rate_that_is_off_admits_all() {
        assert!(ask("0", &[0; 100]).iter().all(Result::is_ok));
    }

    #[test]
    fn a_clock_that_went_back_costs_one_window_at_most() {
        let hour = 3_600_000;
        // Used up at the later hour, then the clock goes back by it.
        let answers = ask("2/min", &[hour, hour, hour, 0, 29_999, 30_000, 60_000]);
        assert_eq!(answers, [Ok(1), Ok(0), Err(30_000), Err(30_000), Err(1), Ok(0), Ok(0)]);
    }

    #[test]
    fn a_clock_that_went_ahead_forgives_and_the_ends_of_time_do_not_break_it() {
        assert_eq!(ask("2/min", &[0, 0, 3_600_000]), [Ok(1), Ok(0), Ok(1)]);
        let last = Timestamp::from_micros(i64::MAX);
        let first = Timestamp::from_micros(i64::MIN);
        for (until, now) in [(last, last), (last, first), (first, last), (first, first)] {
            let _ = admit(Rate::parse("10/min").unwrap(), until, now);
        }
    }

    proptest! {
        /// Held against a count that remembers everything: never more than the rate at once, never more than twice in
        /// a window, and whoever was told to wait is admitted after that.
        #[test]
        fn no_window_sees_more_than_twice_the_rate(
            count in 1_u32..40,
            steps in proptest::collection::vec(0_i64..4_000, 1..300),
        ) {
            let rate = Rate::parse(&format!("{count}/min")).unwrap();
            let (mut until, mut now, mut admitted) = (Timestamp::from_micros(0), START, Vec::new());
            for step in steps {
                now += step * 1_000;
                match admit(rate, until, Timestamp::from_micros(now)) {
                    Verdict::Admitted { until: next, .. } => {
                        until = next;
                        admitted.push(now);
                    }
                    Verdict::Refused { retry_in, .. } => {
                        let later = Timestamp::from_micros(now).after(retry_in);
                        let is_admitted = matches!(admit(rate, until, later), Verdict::Admitted { .. });
                        prop_assert!(is_admitted);
                    }
                }
            }
            for from in &admitted {
                let within = |span: i64| admitted.iter().filter(|at| (*from..*from + span).contains(at)).count();
                prop_assert!(within(1) <= count as usize);
                prop_assert!(within(60_000_000) <= 2 * count as usize);
            }
        }
    }
}
