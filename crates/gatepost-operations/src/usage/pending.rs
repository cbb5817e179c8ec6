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
