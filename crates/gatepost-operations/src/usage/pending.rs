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
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};

use super::batch::Batch;
use super::ranges::{ClientHour, Ranges};

/// More different clients or secrets than this between two writes are not told apart; half of them take 50 MB.
const MOST: usize = 800_000;

/// What happened since the last write.
pub struct Usage {
    pending: Mutex<Pending>,
}

/// It, by what it was of.
struct Pending {
    most: usize,
    clients: Ranges<ClientHour, Counts>,
    secrets: Ranges<SecretId, Used>,
    api_secrets: HashMap<SecretId, SecretUsage>,
    retagged: Retagged,
    passed_over: u64,
}

/// Secrets that move to the present pepper.
pub(super) type Retagged = HashMap<SecretId, (ClientId, SecretTag)>;

/// Of one client in one hour.
#[derive(Default)]
struct Counts {
    issued: u32,
    refused: u32,
}

/// Of one secret.
struct Used {
    at: Timestamp,
    address: Option<IpAddr>,
    count: u32,
}

impl Default for Usage {
    fn default() -> Self {
        Self::of_most(MOST)
    }
}

impl Usage {
    /// Tells so many clients and secrets apart.
    fn of_most(most: usize) -> Self {
        let (clients, secrets, passed_over) = (Ranges::default(), Ranges::default(), 0);
        let (api_secrets, retagged) = (HashMap::new(), HashMap::new());
        let pending = Pending { most, clients, secrets, api_secrets, retagged, passed_over };
        Self { pending: Mutex::new(pending) }
    }

    /// A client got a token; `secret` proved it, if a secret did.
    pub fn issued(
        &self,
        client: &ClientId,
        secret: Option<SecretId>,
        address: Option<IpAddr>,
        at: Timestamp,
    ) {
        let counted = ClientHour::of(client, Hour::of(at));
        let mut pending = self.lock();
        pending.count(counted, 1, 0);
        if let Some(secret) = secret {
            pending.used(&SecretUsage { secret, at, address, count: 1 });
        }
    }

    /// An API asked about a token or for the feed; `secret` proved it.
    pub fn asked(&self, secret: SecretId, address: Option<IpAddr>, at: Timestamp) {
        self.lock().asked(&SecretUsage { secret, at, address, count: 1 });
    }

    /// A client got the token that it has already; `secret` proved it, if a secret did.
    pub fn used(&self, secret: Option<SecretId>, address: Option<IpAddr>, at: Timestamp) {
        if let Some(secret) = secret {
            self.lock().used(&SecretUsage { secret, at, address, count: 1 });
        }
    }

    /// A secret was shown whose stored tag was made under an older pepper: it moves to the present one.
    pub fn retagged(&self, client: &ClientId, secret: SecretId, tag: &SecretTag) {
        let mut pending = self.lock();
        if pending.retagged.len() < pending.most {
            pending.retagged.entry(secret).or_insert_with(|| (client.clone(), tag.clone()));
        }
    }

    /// A client that had shown who it is was refused.
    pub fn refused(&self, client: &ClientId, at: Timestamp) {
        let counted = ClientHour::of(client, Hour::of(at));
        self.lock().count(counted, 0, 1);
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so much has come together that it is to be written soon, lest there be no more room.
    pub(crate) fn is_much(&self) -> bool {
        let pending = self.lock();
        pending.clients.count().max(pending.secrets.count()).max(pending.api_secrets.len())
            >= pending.most / 2
    }

    /// Moves what was counted of a range of ids to the batch, which is in order then.
    pub(super) fn take(&self, range: usize, batch: &mut Batch) {
        let mut pending = self.lock();
        let (clients, secrets) = (pending.clients.take(range), pending.secrets.take(range));
        drop(pending);
        let client = |(counted, Counts { issued, refused }): (ClientHour, Counts)| {
            let (client, hour) = counted.parts()?;
            Some(ClientUsage { client, hour, issued: issued.into(), refused: refused.into() })
        };
        let secret = |(secret, Used { at, address, count }): (SecretId, Used)| SecretUsage {
            secret,
            at,
            address,
            count: count.into(),
        };
        batch.clients.extend(clients.into_iter().filter_map(client));
        batch.secrets.extend(secrets.into_iter().map(secret));
        batch.clients.sort_unstable_by(|one, other| one.client.cmp(&other.client));
        batch.secrets.sort_unstable_by_key(|one| one.secret);
    }

    /// The uses of API secrets.
    pub(super) fn take_of_apis(&self) -> Vec<SecretUsage> {
        let taken = std::mem::take(&mut self.lock().api_secrets);
        taken.into_values().collect()
    }

    /// The secrets that move to the present pepper, and how often there was no room for a count.
    pub(super) fn take_rest(&self) -> (Retagged, u64) {
        let mut pending = self.lock();
        (std::mem::take(&mut pending.retagged), std::mem::take(&mut pending.passed_over))
    }

    /// Takes back what could not be written; what came meanwhile came after it.
    pub(super) fn put_back(&self, unwritten: Batch) {
        let mut pending = self.lock();
        for ClientUsage { client, hour, issued, refused } in unwritten.clients {
            pending.count(ClientHour::of(&client, hour), issued, refused);
        }
        for used in unwritten.secrets {
            pending.used(&used);
        }
    }

    /// The same of APIs.
    pub(super) fn put_back_of_apis(&self, unwritten: &[SecretUsage]) {
        let mut pending = self.lock();
        unwritten.iter().for_each(|used| pending.asked(used));
    }
}

impl Pending {
    fn count(&mut self, counted: ClientHour, issued: u64, refused: u64) {
        let Some(counts) = self.clients.of(counted, self.most, Counts::default) else {
            self.passed_over = self.passed_over.saturating_add(1);
            return;
        };
        counts.issued = counts.issued.saturating_add(narrow(issued));
        counts.refused = counts.refused.saturating_add(narrow(refused));
    }

    fn used(&mut self, used: &SecretUsage) {
        let new = || Used { at: used.at, address: used.address, count: 0 };
        if let Some(known) = self.secrets.of(used.secret, self.most, new) {
            known.count = known.count.saturating_add(narrow(used.count));
            if known.at <= used.at {
                (known.at, known.address) = (used.at, used.address);
            }
        }
    }

    fn asked(&mut self, used: &SecretUsage) {
        if self.api_secrets.len() >= self.most && !self.api_secrets.contains_key(&used.secret) {
            return;
        }
        let new = || SecretUsage { count: 0, ..used.clone() };
        let known = self.api_secrets.entry(used.secret).or_insert_with(new);
        known.count = known.count.saturating_add(used.count);
        if known.at <= used.at {
            (known.at, known.address) = (used.at, used.address);
        }
    }
}

/// More than four thousand millions between two writes are that many.
fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::ranges::RANGES;
    use super::*;

    fn taken(usage: &Usage) -> Batch {
        let mut batch = Batch::default();
        (0..RANGES).for_each(|range| usage.take(range, &mut batch));
        batch
    }

    fn counts(batch: &Batch) -> Vec<(&str, i64, u64, u64)> {
        let count = |of: &ClientUsage| (of.hour.0, of.issued, of.refused);
        let mut counts: Vec<_> = batch.clients.iter().map(|of| (of.client.as_str(), count(of))).collect();
        counts.sort_unstable();
        counts.into_iter().map(|(client, (hour, issued, refused))| (client, hour, issued, refused)).collect()
    }

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

        let batch = taken(&usage);
        assert_eq!(counts(&batch), [("c", 0, 2, 1), ("c", 1, 1, 0)]);
        let at = Timestamp::from_micros(3_600_000_000);
        let address = Some([10, 0, 0, 1].into());
        assert_eq!(batch.secrets, [SecretUsage { secret, at, address, count: 3 }]);
        assert_eq!(taken(&usage).len(), 0);
    }

    #[test]
    fn what_is_taken_is_in_order_and_nothing_is_left_out() {
        let usage = Usage::default();
        let at = Timestamp::from_micros(0);
        let secret = |number: u128| SecretId(uuid::Uuid::from_u128(number.wrapping_mul(0x9e37 << 112)));
        for number in 0..1_000 {
            let client = ClientId::from_uuid(secret(number).0);
            usage.issued(&client, Some(secret(number + 1)), None, at);
        }
        let mut batch = taken(&usage);

        assert_eq!((batch.clients.len(), batch.secrets.len()), (1_000, 1_000));
        assert!(batch.clients.is_sorted_by(|one, next| one.client < next.client));
        assert!(batch.secrets.is_sorted_by(|one, next| one.secret < next.secret));
        let last = batch.clients.last().cloned();
        assert_eq!((batch.first(600).0.len(), batch.first(600).1.len()), (600, 600));
        batch.skip(600);
        assert_eq!((batch.first(600).0.len(), batch.first(600).0.last().cloned()), (400, last));
    }

    #[test]
    fn half_of_the_room_is_much_and_beyond_all_of_it_only_the_sum_is_known() {
        let usage = Usage::of_most(1_000);
        let count = |number: usize| {
            let client = ClientId::from_uuid(uuid::Uuid::from_u128(number as u128));
            usage.refused(&client, Timestamp::from_micros(0));
        };
        (1..500).for_each(count);
        assert!(!usage.is_much());
        count(0);
        assert!(usage.is_much());
        (500..1_003).for_each(count);
        count(0);
        assert_eq!((usage.take_rest().1, taken(&usage).clients.len()), (3, 1_000));
    }

    #[test]
    fn what_could_not_be_written_is_added_to_what_came_meanwhile() {
        let usage = Usage::default();
        let (client, secret) = (ClientId::parse("c").unwrap(), SecretId(uuid::Uuid::nil()));
        let issued = |second| usage.issued(&client, Some(secret), None, Timestamp::from_micros(second));
        issued(1);
        let unwritten = taken(&usage);
        issued(2);
        usage.put_back(unwritten);

        let batch = taken(&usage);
        assert_eq!(counts(&batch), [("c", 0, 2, 0)]);
        assert_eq!((batch.secrets[0].count, batch.secrets[0].at), (2, Timestamp::from_micros(2)));

        let asked = |at| usage.asked(secret, None, Timestamp::from_micros(at));
        asked(5);
        let unwritten = usage.take_of_apis();
        asked(6);
        usage.put_back_of_apis(&unwritten);
        let of_apis = usage.take_of_apis();
        assert_eq!((of_apis[0].count, of_apis[0].at), (2, Timestamp::from_micros(6)));
    }
}
