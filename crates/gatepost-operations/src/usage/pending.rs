//! This file is where what clients do is counted in memory, between two writes.
//!
//! A request adds to a counter and goes on. Counters are kept for a bounded number of clients and secrets; beyond it
//! only the total is kept. Nothing here can fail or slow a token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::clients::{ClientId, SecretId};
use gatepost_core::secret::SecretTag;
use gatepost_core::time::Timestamp;
use gatepost_core::usage::{Hour, SecretUsage};

/// More different clients or secrets than this between two writes are not told apart.
const MOST: usize = 200_000;
/// Half of it.
const MUCH: usize = MOST / 2;

/// What happened since the last write.
#[derive(Default)]
pub struct Usage {
    pending: Mutex<Pending>,
}

/// It, by what it was of.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) clients: HashMap<(ClientId, Hour), Counts>,
    pub(super) secrets: HashMap<SecretId, SecretUsage>,
    pub(super) api_secrets: HashMap<SecretId, SecretUsage>,
    pub(super) retagged: HashMap<SecretId, (ClientId, SecretTag)>,
    pub(super) passed_over: u64,
}

/// Of one client in one hour.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) issued: u64,
    pub(super) refused: u64,
}

impl Usage {
    /// A client got a token; `secret` proved it, if a secret did.
    pub fn issued(
        &self,
        client: &ClientId,
        secret: Option<SecretId>,
        address: Option<IpAddr>,
        at: Timestamp,
    ) {
        let mut pending = self.lock();
        if let Some(counts) = pending.counts(client, at) {
            counts.issued = counts.issued.saturating_add(1);
        }
        if let Some(secret) = secret {
            used(&mut pending.secrets, secret, address, at);
        }
    }

    /// An API asked about a token or for the feed; `secret` proved it.
    pub fn asked(&self, secret: SecretId, address: Option<IpAddr>, at: Timestamp) {
        used(&mut self.lock().api_secrets, secret, address, at);
    }

    /// A client got the token that it has already; `secret` proved it, if a secret did.
    pub fn used(&self, secret: Option<SecretId>, address: Option<IpAddr>, at: Timestamp) {
        if let Some(secret) = secret {
            used(&mut self.lock().secrets, secret, address, at);
        }
    }

    /// A secret was shown whose stored tag was made under an older pepper: it moves to the present one.
    pub fn retagged(&self, client: &ClientId, secret: SecretId, tag: &SecretTag) {
        let mut pending = self.lock();
        if pending.retagged.len() < MOST {
            pending.retagged.entry(secret).or_insert_with(|| (client.clone(), tag.clone()));
        }
    }

    /// A client that had shown who it is was refused.
    pub fn refused(&self, client: &ClientId, at: Timestamp) {
        if let Some(counts) = self.lock().counts(client, at) {
            counts.refused = counts.refused.saturating_add(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so much has come together that it is to be written soon, lest there be no more room.
    pub(crate) fn is_much(&self) -> bool {
        let pending = self.lock();
        pending.clients.len().max(pending.secrets.len()).max(pending.api_secrets.len()) >= MUCH
    }

    pub(super) fn take(&self) -> Pending {
        std::mem::take(&mut *self.lock())
    }

    pub(super) fn put_back(&self, unwritten: Pending) {
        let mut pending = self.lock();
        for ((client, hour), counts) in unwritten.clients {
            if let Some(known) = pending.counts(&client, hour.begins()) {
                known.issued = known.issued.saturating_add(counts.issued);
                known.refused = known.refused.saturating_add(counts.refused);
            }
        }
        used_before(&mut pending.secrets, unwritten.secrets);
        used_before(&mut pending.api_secrets, unwritten.api_secrets);
    }
}

impl Pending {
    fn counts(&mut self, client: &ClientId, at: Timestamp) -> Option<&mut Counts> {
        let key = (client.clone(), Hour::of(at));
        if self.clients.len() >= MOST && !self.clients.contains_key(&key) {
            self.passed_over = self.passed_over.saturating_add(1);
            return None;
        }
        Some(self.clients.entry(key).or_default())
    }

    /// The same in portions of at most so many clients and secrets, in their order: rows that are near one another
    /// share a page of the disk, which is then written once.
    pub(super) fn portions(self, at_once: usize) -> Vec<Self> {
        let many = self.clients.len().max(self.secrets.len());
        if many <= at_once {
            return vec![self];
        }
        let mut portions = Vec::new();
        portions.resize_with(many.div_ceil(at_once), Self::default);
        let mut clients: Vec<_> = self.clients.into_iter().collect();
        clients.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (place, (client, counts)) in clients.into_iter().enumerate() {
            if let Some(portion) = portions.get_mut(place / at_once) {
                portion.clients.insert(client, counts);
            }
        }
        let mut secrets: Vec<_> = self.secrets.into_iter().collect();
        secrets.sort_unstable_by_key(|(secret, _)| *secret);
        for (place, (secret, used)) in secrets.into_iter().enumerate() {
            if let Some(portion) = portions.get_mut(place / at_once) {
                portion.secrets.insert(secret, used);
            }
        }
        if let Some(last) = portions.last_mut() {
            last.api_secrets = self.api_secrets;
        }
        portions
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
            && self.secrets.is_empty()
            && self.api_secrets.is_empty()
            && self.retagged.is_empty()
    }
}

fn used(
    known: &mut HashMap<SecretId, SecretUsage>,
    secret: SecretId,
    address: Option<IpAddr>,
    at: Timestamp,
) {
    if known.len() >= MOST && !known.contains_key(&secret) {
        return;
    }
    let known = known.entry(secret).or_insert(SecretUsage { secret, at, address, count: 0 });
    (known.at, known.address) = (at.max(known.at), address);
    known.count = known.count.saturating_add(1);
}

/// Adds uses that were not written; what is known came after them.
fn used_before(known: &mut HashMap<SecretId, SecretUsage>, before: HashMap<SecretId, SecretUsage>) {
    for (secret, earlier) in before {
        let known = known.entry(secret).or_insert(SecretUsage { count: 0, ..earlier.clone() });
        known.count = known.count.saturating_add(earlier.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_a_client_in_an_hour_come_together_in_one_count() {
        let usage = Usage::default();
        let client = ClientId::parse("c").unwrap();
        let secret = SecretId(uuid::Uuid::nil());
        for second in [1, 3_599, 3_600] {
            let at = Timestamp::from_micros(second * 1_000_000);
            usage.issued(&client, Some(secret), Some([10, 0, 0, 1].into()), at);
        }
        usage.refused(&client, Timestamp::from_micros(0));

        let pending = usage.take();
        let first = pending.clients[&(client.clone(), Hour(0))];
        assert_eq!((first.issued, first.refused), (2, 1));
        assert_eq!(pending.clients[&(client, Hour(1))].issued, 1);
        assert_eq!((pending.secrets[&secret].count, pending.secrets[&secret].at.seconds()), (3, 3_600));
    }

    #[test]
    fn much_is_written_in_portions_in_order_and_nothing_is_left_out() {
        let usage = Usage::default();
        let at = Timestamp::from_micros(0);
        let secret = |number: u128| SecretId(uuid::Uuid::from_u128(number));
        for number in 0..25 {
            let client = ClientId::parse(&format!("c{number:02}")).unwrap();
            usage.issued(&client, Some(secret(number)), None, at);
        }
        usage.asked(secret(99), None, at);
        let portions = usage.take().portions(10);

        let named = |portion: &Pending| {
            let mut names: Vec<_> = portion.clients.keys().map(|(client, _)| client.to_string()).collect();
            names.sort();
            (names.len(), names.first().cloned(), portion.secrets.len(), portion.api_secrets.len())
        };
        let first = |name: &str| Some(name.to_owned());
        let expected = [(10, first("c00"), 10, 0), (10, first("c10"), 10, 0), (5, first("c20"), 5, 1)];
        assert_eq!(portions.iter().map(named).collect::<Vec<_>>(), expected);
        assert!(portions[1].secrets.contains_key(&secret(15)));
        assert_eq!(Pending::default().portions(10).len(), 1);
    }

    #[test]
    fn half_of_the_room_is_much() {
        let usage = Usage::default();
        let count = |number: usize| {
            let client = ClientId::parse(&format!("c{number}")).unwrap();
            usage.refused(&client, Timestamp::from_micros(0));
        };
        (1..MUCH).for_each(count);
        assert!(!usage.is_much());
        count(0);
        assert!(usage.is_much());
    }

    #[test]
    fn what_could_not_be_written_is_added_to_what_came_meanwhile() {
        let usage = Usage::default();
        let client = ClientId::parse("c").unwrap();
        let at = Timestamp::from_micros(0);
        usage.issued(&client, None, None, at);
        let unwritten = usage.take();
        usage.issued(&client, None, None, at);
        usage.put_back(unwritten);

        assert_eq!(usage.take().clients[&(client, Hour(0))].issued, 2);
    }
}
