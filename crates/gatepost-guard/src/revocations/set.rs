//! This file is where it is kept what has been heard of revocations, and asked at every call.
//!
//! A revocation is never taken back, so what was heard stays until it is over by itself: a server that lags behind
//! another can't make a guard forget.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

use gatepost_jose::Micros;

use super::feed::FeedClaims;
use crate::caller::Identity;

/// What is revoked, as far as it has been heard; never changed, only replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationSet {
    tokens: HashMap<String, i64>,
    clients: HashMap<String, u64>,
    partners: HashMap<String, u64>,
    kids: HashSet<String>,
}

impl RevocationSet {
    /// Whether this token was revoked: itself, its key, or all that its client or partner got up to some moment.
    #[must_use]
    pub fn covers(&self, token: &Identity) -> bool {
        let issued = token.issued_millis();
        let up_to = |moment: &u64| issued <= *moment;
        self.tokens.contains_key(&token.jti)
            || self.clients.get(&token.client_id).is_some_and(up_to)
            || token.partner_id.as_ref().and_then(|partner| self.partners.get(partner)).is_some_and(up_to)
            || self.kids.contains(token.kid.as_str())
    }

    /// What the feed says in addition to what is known; what is over is let go. No token is older than `token_life`.
    #[must_use]
    pub fn with(&self, feed: &FeedClaims, now: Micros, token_life: Duration) -> Self {
        let second = now.seconds();
        let oldest = u64::try_from(now.saturating_sub(token_life).0.div_euclid(1_000)).unwrap_or(0);
        let tokens = self.tokens.iter().chain(&feed.tokens).filter(|(_, until)| **until >= second);
        Self {
            tokens: tokens.map(|(jti, until)| (jti.clone(), *until)).collect(),
            clients: latest(self.clients.iter().chain(&feed.clients), oldest),
            partners: latest(self.partners.iter().chain(&feed.partners), oldest),
            kids: self.kids.iter().chain(&feed.kids).cloned().collect(),
        }
    }

    /// How many revocations it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        let named = self.tokens.len().saturating_add(self.clients.len());
        named.saturating_add(self.partners.len()).saturating_add(self.kids.len())
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The latest moment of each, but none that is older than any token.
fn latest<'a, K: Clone + Eq + Hash + 'a>(
    moments: impl Iterator<Item = (&'a K, &'a u64)>,
    oldest: u64,
) -> HashMap<K, u64> {
    let mut latest = HashMap::new();
    for (name, moment) in moments.filter(|(_, moment)| **moment >= oldest) {
        let known = latest.entry(name.clone()).or_insert(*moment);
        *known = (*known).max(*moment);
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_700_000_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn token(jti: &str, issued: i64) -> Identity {
        Identity::sample(jti, Micros(issued))
    }

    fn feed(change: impl FnOnce(&mut FeedClaims)) -> FeedClaims {
        let mut feed = FeedClaims::default();
        change(&mut feed);
        feed
    }

    #[test]
    fn each_kind_of_revocation_covers_its_tokens() {
        let set = |change: fn(&mut FeedClaims)| RevocationSet::default().with(&feed(change), NOW, DAY);
        let sample = token("t", NOW.0);
        let millis = NOW.0 / 1_000;
        assert_eq!(millis, 1_700_000_000_000);

        assert!(
            set(|feed| {
                feed.tokens.insert("t".into(), 1_700_000_100);
            })
            .covers(&sample)
        );
        assert!(
            set(|feed| {
                feed.clients.insert("client".into(), 1_700_000_000_000);
            })
            .covers(&sample)
        );
        assert!(
            !set(|feed| {
                feed.clients.insert("client".into(), 1_699_999_999_999);
            })
            .covers(&sample)
        );
        assert!(
            set(|feed| {
                feed.partners.insert("partner".into(), 1_700_000_000_000);
            })
            .covers(&sample)
        );
        assert!(
            set(|feed| {
                feed.kids.insert("kid".into());
            })
            .covers(&sample)
        );
        let others = set(|feed| {
            feed.tokens.insert("T".into(), 1_700_000_100);
            feed.clients.insert("partner".into(), 1_700_000_000_000);
            feed.partners.insert("client".into(), 1_700_000_000_000);
            feed.kids.insert("t".into());
        });
        assert!(!others.covers(&sample));
    }

    #[test]
    fn what_was_heard_once_stays_until_it_is_over() {
        let first = feed(|feed| {
            feed.tokens.insert("t".into(), NOW.seconds() + 60);
            feed.clients.insert("client".into(), 1_700_000_000_000);
        });
        let set = RevocationSet::default().with(&first, NOW, DAY);
        let lagging = feed(|feed| {
            feed.clients.insert("client".into(), 1_600_000_000_000);
        });

        let after = set.with(&lagging, NOW.saturating_add(Duration::from_secs(60)), DAY);
        assert_eq!(after, set);
        let after = set.with(&lagging, NOW.saturating_add(Duration::from_secs(61)), DAY);
        assert_eq!((after.len(), after.covers(&token("u", NOW.0))), (1, true));
        assert!(set.with(&lagging, NOW.saturating_add(DAY + Duration::from_secs(1)), DAY).is_empty());
    }
}
