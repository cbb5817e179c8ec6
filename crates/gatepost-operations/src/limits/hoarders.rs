//! This file is where it is noticed that a client takes far more tokens than it needs.
//!
//! The counts by the hour that are kept anyway tell it; nothing is looked at while a token is made.
//! Clients are known by a hash of 64 bits here: that any two of so many are taken for one happens about once in a
//! thousand million such hours.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::limits::{Hoarding, tokens_of_last_hour};
use gatepost_core::time::Timestamp;
use gatepost_core::usage::{ClientUsage, Hour};
use gatepost_store::CachedClients;

/// More different clients than this in an hour are not looked at.
const MOST: usize = 200_000;
/// So long nothing more is told of a client that was told of.
const BETWEEN: Duration = Duration::from_secs(3_600);

/// The tokens of late by client, as far as this node issued them.
#[derive(Default)]
pub(super) struct Hoarders {
    seen: Mutex<HashMap<u64, Seen>>,
    hashing: RandomState,
}

/// What a client took.
#[derive(Clone, Copy)]
struct Seen {
    hour: Hour,
    in_hour: u64,
    in_hour_before: u64,
    told: Option<Timestamp>,
}

impl Hoarders {
    /// Adds the counts and tells the log of each client at most once in an hour.
    pub(super) async fn look(
        &self,
        clients: &CachedClients,
        tolerance: u64,
        counts: &[ClientUsage],
        now: Timestamp,
    ) {
        if tolerance == 0 {
            return;
        }
        for (client, tokens) in self.suspects(counts, tolerance, now) {
            let Ok(Some(record)) = clients.record(&client).await else {
                continue;
            };
            if let Some(hoarding) = Hoarding::seen(tokens, record.client.lifetime, tolerance)
                && self.is_due(&client, now)
            {
                tracing::warn!(client_id = %client, "{hoarding}; see docs/operate/limits.md");
            }
        }
    }

    /// Those that took more than anyone needs and were not told of lately, with how many they took in the last hour.
    fn suspects(&self, counts: &[ClientUsage], tolerance: u64, now: Timestamp) -> Vec<(ClientId, u64)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            // Of the others only what they took in the hour before is lost.
            seen.retain(|_, seen| seen.hour >= Hour::of(now) || seen.was_told(now));
        }
        let mut suspects = Vec::new();
        for count in counts.iter().filter(|count| count.issued > 0) {
            let client = self.hashing.hash_one(&count.client);
            if seen.len() >= MOST && !seen.contains_key(&client) {
                continue;
            }
            let known = seen.entry(client).or_insert_with(|| Seen::new(Hour::of(now)));
            known.add(count, now);
            let tokens = tokens_of_last_hour(known.in_hour, known.in_hour_before, now);
            if tokens > tolerance && !known.was_told(now) {
                suspects.push((count.client.clone(), tokens));
            }
        }
        suspects
    }

    /// Whether the client was not told of in the last hour; now it is.
    fn is_due(&self, client: &ClientId, now: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = seen.get_mut(&self.hashing.hash_one(client)) else {
            return false;
        };
        let is_due = !seen.was_told(now);
        if is_due {
            seen.told = Some(now);
        }
        is_due
    }
}

impl Seen {
    fn new(hour: Hour) -> Self {
        Self { hour, in_hour: 0, in_hour_before: 0, told: None }
    }

    /// Adds a count of the present hour or the one before, for counts are written a little later.
    fn add(&mut self, count: &ClientUsage, now: Timestamp) {
        let present = Hour::of(now);
        let before = Hour(present.0.saturating_sub(1));
        if self.hour != present {
            self.in_hour_before = if self.hour == before { self.in_hour } else { 0 };
            (self.hour, self.in_hour) = (present, 0);
        }
        if count.hour == present {
            self.in_hour = self.in_hour.saturating_add(count.issued);
        } else if count.hour == before {
            self.in_hour_before = self.in_hour_before.saturating_add(count.issued);
        }
    }

    /// Whether it was told of in the last hour; what was told later than now was told by a clock that went back.
    fn was_told(&self, now: Timestamp) -> bool {
        self.told.is_some_and(|told| told <= now && now.since(told) < BETWEEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    /// So many seconds after a full hour.
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_000 * HOUR + seconds) * 1_000_000)
    }

    fn count(client: &str, taken: i64, issued: u64) -> ClientUsage {
        let hour = Hour::of(at(taken));
        ClientUsage { client: ClientId::parse(client).unwrap(), hour, issued, refused: 0 }
    }

    /// Whether the log is told of `a`, which took so many tokens just now.
    fn tells(hoarders: &Hoarders, seconds: i64, issued: u64) -> Option<u64> {
        let suspects = hoarders.suspects(&[count("a", seconds, issued)], 100, at(seconds));
        let told = suspects.into_iter().filter(|(client, _)| hoarders.is_due(client, at(seconds)));
        told.map(|(_, tokens)| tokens).next()
    }

    #[test]
    fn a_client_that_hoards_hour_after_hour_is_told_of_once_in_each() {
        let hoarders = Hoarders::default();
        let told: Vec<i64> =
            (0..6 * 60).map(|minute| minute * 60).filter(|at| tells(&hoarders, *at, 5).is_some()).collect();
        let first = 20 * 60;
        let each_hour: Vec<i64> = (0..6).map(|hour| first + hour * HOUR).collect();
        assert_eq!(told, each_hour);
    }

    #[test]
    fn two_tellings_are_an_hour_apart_also_where_the_clock_strikes_between_them() {
        let hoarders = Hoarders::default();
        assert_eq!(tells(&hoarders, 3_500, 612), Some(612));
        assert_eq!(tells(&hoarders, 3_700, 612), None);
        assert_eq!(tells(&hoarders, 3_500 + HOUR, 612), Some(612 * 2 + 612 * 100 / 3_600));
    }

    #[test]
    fn the_hour_before_counts_in_proportion() {
        let hoarders = Hoarders::default();
        assert_eq!(tells(&hoarders, 3_000, 80), None);
        assert_eq!(tells(&hoarders, HOUR + 900, 40), None, "60 of the hour before");
        assert_eq!(tells(&hoarders, HOUR + 900, 1), Some(101));
        let hoarders = Hoarders::default();
        assert_eq!(tells(&hoarders, 0, 100), None);
        assert_eq!(tells(&hoarders, 2 * HOUR, 100), None, "nothing of an hour that is over for an hour");
    }

    #[test]
    fn counts_that_are_written_after_the_hour_has_struck_are_of_their_hour() {
        let hoarders = Hoarders::default();
        let late = [count("a", HOUR, 1), count("a", 3_599, 120), count("a", -1, 1_000)];
        let suspects = hoarders.suspects(&late, 100, at(HOUR));
        let told = ClientId::parse("a").unwrap();
        assert_eq!(suspects, [(told.clone(), 121), (told, 121)]);
        assert_eq!(hoarders.suspects(&[count("a", HOUR + 1_800, 1)], 100, at(HOUR + 1_800)), []);
    }

    #[test]
    fn a_client_is_suspected_until_it_was_told_of() {
        let hoarders = Hoarders::default();
        let suspects = |issued| hoarders.suspects(&[count("a", 0, issued)], 100, at(0));
        assert_eq!((suspects(100).len(), suspects(1).len(), suspects(1).len()), (0, 1, 1));
        let a = ClientId::parse("a").unwrap();
        assert!(hoarders.is_due(&a, at(0)) && !hoarders.is_due(&a, at(3_599)));
        assert_eq!(suspects(900), []);
    }

    #[test]
    fn a_clock_that_went_back_keeps_nobody_from_being_told_of() {
        let hoarders = Hoarders::default();
        assert_eq!(tells(&hoarders, 9 * HOUR, 101), Some(101));
        assert_eq!(tells(&hoarders, 0, 101), Some(101));
    }

    #[test]
    fn no_more_clients_are_kept_than_the_bound_and_an_hour_later_there_is_room() {
        let hoarders = Hoarders::default();
        let many = |from: usize, seconds| {
            let numbers = from..from + MOST + 10;
            let counts: Vec<_> = numbers.map(|number| count(&number.to_string(), seconds, 200)).collect();
            hoarders.suspects(&counts, 100, at(seconds)).len()
        };
        assert_eq!(many(0, 0), MOST);
        assert_eq!(many(MOST * 2, HOUR), MOST);
    }
}
