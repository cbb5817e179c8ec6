//! This file is where callers that nobody knows are counted in a table of one size, whatever they call themselves.
//!
//! The idea: each key has four places in the table, and stands where the least of them says (a count-min sketch, Cormode
//! and Muthukrishnan 2005, with conservative updates; the places hold what `admit` remembers instead of counts).
//! Nothing is ever put out to make room: a flood of other keys can't make the table forget a key, only make it believe
//! that somebody asked more often than was so. The limit: that takes a flood that fills a good part of the table; who is
//! counted here must therefore lose nothing by it but an answer that was a refusal anyway, or have settings say so.
//! The price: half a MiB once the first key comes, four reads and at most four writes for each.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use gatepost_core::limits::{Rate, Verdict, admit};
use gatepost_core::time::Timestamp;

/// Places in the table; a power of two.
const PLACES: usize = 1 << 16;
const PLACES_OF_A_KEY: usize = 4;
/// Askers of one key wait for one another, those of different keys seldom.
const LOCKS: usize = 64;

/// The table. The places of a key can't be guessed: they hang on a key of this process.
#[derive(Default)]
pub(super) struct Sketch {
    hasher: RandomState,
    places: OnceLock<Box<[AtomicI64]>>,
    locks: Locks,
}

struct Locks([Mutex<()>; LOCKS]);

impl Default for Locks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Sketch {
    /// Holds one more of `key` against the rate.
    pub(super) fn take(&self, key: &impl Hash, rate: Rate, now: Timestamp) -> Verdict {
        let hash = self.hasher.hash_one(key);
        let places = self.places.get_or_init(|| (0..PLACES).map(|_| AtomicI64::new(i64::MIN)).collect());
        let mine = places_of(hash).map(|place| places.get(place));
        let mine = || mine.iter().copied().flatten();

        let lock = self.locks.0.get(usize::try_from(hash >> 58).unwrap_or(0));
        let _one_at_a_time = lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner));
        let least = mine().map(|place| place.load(Ordering::Relaxed)).min().unwrap_or(i64::MIN);
        let until = Timestamp::from_micros(least);
        let verdict = admit(rate, until, now);
        match verdict {
            Verdict::Admitted { until, .. } => mine().for_each(|place| {
                place.fetch_max(until.micros(), Ordering::Relaxed);
            }),
            // Further ahead than the rate allows means that the clock went back.
            Verdict::Refused { until: given, .. } if given < until => mine().for_each(|place| {
                place.fetch_min(given.micros(), Ordering::Relaxed);
            }),
            Verdict::Refused { .. } => {}
        }
        verdict
    }
}

/// Where a key stands, by double hashing.
fn places_of(hash: u64) -> [usize; PLACES_OF_A_KEY] {
    let step = (hash >> 32) | 1;
    std::array::from_fn(|turn| {
        let place = hash.wrapping_add(step.wrapping_mul(turn as u64));
        usize::try_from(place).unwrap_or(usize::MAX) & (PLACES - 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000 + micros)
    }

    fn rate() -> Rate {
        Rate::parse("10/min").unwrap()
    }

    fn is_admitted(sketch: &Sketch, key: &str, micros: i64) -> bool {
        matches!(sketch.take(&key, rate(), at(micros)), Verdict::Admitted { .. })
    }

    #[test]
    fn a_key_is_admitted_as_often_as_the_rate_says() {
        let sketch = Sketch::default();
        assert_eq!((0..30).filter(|_| is_admitted(&sketch, "a", 0)).count(), 10);
        assert!(is_admitted(&sketch, "b", 0));
        assert!(!is_admitted(&sketch, "a", 5_999_999));
        assert!(is_admitted(&sketch, "a", 6_000_000));
    }

    #[test]
    fn a_flood_of_other_keys_never_makes_it_forget_one() {
        let sketch = Sketch::default();
        (0..10).for_each(|_| assert!(is_admitted(&sketch, "under attack", 0)));
        for number in 0..300_000 {
            sketch.take(&number, rate(), at(0));
        }
        assert!(!is_admitted(&sketch, "under attack", 0));
        assert_eq!(sketch.places.get().map(|places| places.len()), Some(PLACES), "and it has not grown");
    }

    #[test]
    fn a_thousand_others_are_not_taken_for_one_another() {
        let sketch = Sketch::default();
        for number in 0..1_000 {
            sketch.take(&number, rate(), at(0));
        }
        // Each place that is in use is in use once or twice, far from ten times.
        let whole = (0..100).all(|number| (0..8).all(|_| is_admitted(&sketch, &format!("new {number}"), 0)));
        assert!(whole);
    }

    #[test]
    fn many_at_the_same_moment_are_admitted_as_often_as_one_after_the_other() {
        let sketch = Sketch::default();
        let admitted = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mine = (0..100).filter(|_| is_admitted(&sketch, "a", 0)).count();
                    admitted.fetch_add(mine, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(admitted.into_inner(), 10);
    }

    #[test]
    fn a_clock_that_went_back_costs_a_window_and_not_the_whole_step() {
        let sketch = Sketch::default();
        let (hour, minute) = (3_600_000_000, 60_000_000);
        (0..10).for_each(|_| assert!(is_admitted(&sketch, "a", hour)));
        assert!(!is_admitted(&sketch, "a", 0));
        assert_eq!((0..30).filter(|_| is_admitted(&sketch, "a", minute)).count(), 10);
    }
}
