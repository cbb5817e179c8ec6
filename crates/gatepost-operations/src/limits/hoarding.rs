//! This file is where it is noticed, and told, that a client takes far more tokens than it needs.
//!
//! The counts by the hour that are kept anyway tell it; nothing is looked at while a token is made.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::limits::Hoarding;
use gatepost_core::time::Timestamp;
use gatepost_core::usage::{ClientUsage, Hour};

use crate::clients;
use crate::failure::Failure;
use crate::gate::Gate;

/// More different clients than this in an hour are not looked at.
const MOST: usize = 200_000;

/// The tokens of this hour by client, as far as this node issued them.
#[derive(Default)]
pub(super) struct Hoarders {
    seen: Mutex<HashMap<ClientId, Seen>>,
}

#[derive(Clone, Copy)]
struct Seen {
    hour: Hour,
    tokens: u64,
    told: bool,
}

impl Hoarders {
    /// Adds the counts and tells the log of each client at most once in an hour.
    pub(super) async fn look(&self, gate: &Gate, counts: &[ClientUsage]) {
        let tolerance = gate.config.limits.hoarding;
        if tolerance == 0 {
            return;
        }
        for (client, tokens) in self.suspects(counts, tolerance) {
            let Ok(Some(record)) = gate.clients.record(&client).await else {
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
            if seen.len() >= MOST && !seen.contains_key(&count.client) {
                continue;
            }
            let new = Seen { hour: count.hour, tokens: 0, told: false };
            let known = seen.entry(count.client.clone()).or_insert(new);
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
        seen.get_mut(client).is_some_and(|seen| !std::mem::replace(&mut seen.told, true))
    }
}

/// What there is to tell a client about the tokens that it took in the last hour, on all nodes.
pub async fn notice(gate: &Gate, client: &str) -> Result<Option<Hoarding>, Failure> {
    let found = clients::find(gate, client).await?;
    of_last_hour(gate, &found).await
}

pub(crate) async fn of_last_hour(gate: &Gate, record: &ClientRecord) -> Result<Option<Hoarding>, Failure> {
    let now = gate.clock.now();
    let present = Hour::of(now);
    let before = Hour(present.0.saturating_sub(1));
    let counts = gate.store.usage(Some(&record.client.id), before, present).await?;
    let of = |hour| counts.iter().filter(|count| count.hour == hour).map(|count| count.issued).sum::<u64>();
    let tokens = of(present).saturating_add(share(of(before), now));
    Ok(Hoarding::seen(tokens, record.client.lifetime, gate.config.limits.hoarding))
}

/// The part of the hour before that is less than an hour ago, as if its tokens had been taken evenly.
fn share(tokens: u64, now: Timestamp) -> u64 {
    let gone = now.since(Hour::of(now).begins()).as_secs().min(3_600);
    u64::try_from(u128::from(tokens) * u128::from(3_600 - gone) / 3_600).unwrap_or(u64::MAX)
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

    #[test]
    fn of_the_hour_before_as_much_counts_as_is_less_than_an_hour_ago() {
        let at = |seconds: i64| Timestamp::from_micros((3_600_000 + seconds) * 1_000_000);
        assert_eq!((share(100, at(0)), share(100, at(1_800)), share(100, at(3_599))), (100, 50, 0));
        assert_eq!(share(u64::MAX, at(0)), u64::MAX);
    }
}
