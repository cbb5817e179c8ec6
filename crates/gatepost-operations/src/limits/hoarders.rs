//! This file is where it is noticed that a client takes far more tokens than it needs.
//!
//! The counts by the hour that are kept anyway tell it; nothing is looked at while a token is made.
//! Clients are known by a hash of 64 bits here: that two of so many are taken for one is less likely than one in a
//! thousand million.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use gatepost_core::clients::ClientId;
use gatepost_core::limits::Hoarding;
use gatepost_core::usage::{ClientUsage, Hour};
use gatepost_store::CachedClients;

/// More different clients than this in an hour are not looked at.
const MOST: usize = 200_000;

/// The tokens of this hour by client, as far as this node issued them.
#[derive(Default)]
pub(super) struct Hoarders {
    seen: Mutex<HashMap<u64, Seen>>,
    hashing: RandomState,
}

#[derive(Clone, Copy)]
struct Seen {
    hour: Hour,
    tokens: u64,
    told: bool,
}

impl Hoarders {
    /// Adds the counts and tells the log of each client at most once in an hour.
    pub(super) async fn look(&self, clients: &CachedClients, tolerance: u64, counts: &[ClientUsage]) {
        if tolerance == 0 {
            return;
        }
        for (client, tokens) in self.suspects(counts, tolerance) {
            let Ok(Some(record)) = clients.record(&client).await else {
                continue;
            };
            if let Some(hoarding) = Hoarding::seen(tokens, record.client.lifetime, tolerance)
                && self.is_first(&client)
            {
                tracing::warn!(client_id = %client, "{hoarding}; see docs/operate/limits.md");
            }
        }
    }

    /// Those that took more than anyone needs and were not told yet, with how many they took.
    fn suspects(&self, counts: &[ClientUsage], tolerance: u64) -> Vec<(ClientId, u64)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = counts.iter().map(|count| count.hour).max();
        if seen.len() >= MOST {
            seen.retain(|_, seen| Some(seen.hour) >= latest);
        }
        let mut suspects = Vec::new();
        for count in counts.iter().filter(|count| count.issued > 0) {
            let client = self.hashing.hash_one(&count.client);
            if seen.len() >= MOST && !seen.contains_key(&client) {
                continue;
            }
            let new = Seen { hour: count.hour, tokens: 0, told: false };
            let known = seen.entry(client).or_insert(new);
            if known.hour != count.hour {
                *known = new;
            }
            known.tokens = known.tokens.saturating_add(count.issued);
            if known.tokens > tolerance && !known.told {
                suspects.push((count.client.clone(), known.tokens));
            }
        }
        suspects
    }

    /// Whether the client is told for the first time in its hour; from now on it is not.
    fn is_first(&self, client: &ClientId) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get_mut(&self.hashing.hash_one(client))
            .is_some_and(|seen| !std::mem::replace(&mut seen.told, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(client: &str, hour: i64, issued: u64) -> ClientUsage {
        ClientUsage { client: ClientId::parse(client).unwrap(), hour: Hour(hour), issued, refused: 0 }
    }

    fn names(suspects: &[(ClientId, u64)]) -> Vec<(&str, u64)> {
        suspects.iter().map(|(client, tokens)| (client.as_str(), *tokens)).collect()
    }

    #[test]
    fn a_client_is_suspected_until_it_was_told_and_again_in_the_next_hour() {
        let hoarders = Hoarders::default();
        assert_eq!(names(&hoarders.suspects(&[count("a", 1, 100), count("b", 1, 5)], 100)), []);
        assert_eq!(names(&hoarders.suspects(&[count("a", 1, 1)], 100)), [("a", 101)]);
        let a = ClientId::parse("a").unwrap();
        assert!(hoarders.is_first(&a) && !hoarders.is_first(&a));
        assert_eq!(names(&hoarders.suspects(&[count("a", 1, 900)], 100)), []);
        assert_eq!(names(&hoarders.suspects(&[count("a", 2, 100)], 100)), []);
        assert_eq!(names(&hoarders.suspects(&[count("a", 2, 1)], 100)), [("a", 101)]);
    }

    #[test]
    fn no_more_clients_are_kept_than_the_bound_and_an_hour_later_there_is_room() {
        let hoarders = Hoarders::default();
        let many =
            |hour| (0..MOST + 10).map(|number| count(&number.to_string(), hour, 200)).collect::<Vec<_>>();
        assert_eq!(hoarders.suspects(&many(1), 100).len(), MOST);
        assert_eq!(hoarders.suspects(&many(2), 100).len(), MOST);
    }
}
