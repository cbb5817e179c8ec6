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

/// More different clients or secrets than this between two writes are not told apart; half of them take 25 MB.
const MOST: usize = 400_000;

/// What happened since the last write.
pub struct Usage {
    pending: Mutex<Pending>,
}

/// It, by what it was of.
struct Pending {
    most: usize,
    clients: Ranges<ClientHour, Counts>,
    secrets: Ranges<SecretId, Used>,
    api_secrets: Ranges<SecretId, Used>,
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
        let (api_secrets, retagged) = (Ranges::default(), HashMap::new());
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
            pending.of_clients(&SecretUsage { secret, at, address, count: 1 });
        }
    }

    /// An API asked about a token or for the feed; `secret` proved it.
    pub fn asked(&self, secret: SecretId, address: Option<IpAddr>, at: Timestamp) {
        self.lock().of_apis(&SecretUsage { secret, at, address, count: 1 });
    }

    /// A client got the token that it has already; `secret` proved it, if a secret did.
    pub fn used(&self, secret: Option<SecretId>, address: Option<IpAddr>, at: Timestamp) {
        if let Some(secret) = secret {
            self.lock().of_clients(&SecretUsage { secret, at, address, count: 1 });
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
        pending.clients.count().max(pending.secrets.count()).max(pending.api_secrets.count())
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
        batch.clients.extend(clients.into_iter().filter_map(client));
        batch.secrets.extend(secrets.into_iter().map(of_secret));
        batch.clients.sort_unstable_by(|one, other| one.client.cmp(&other.client));
        batch.secrets.sort_unstable_by_key(|one| one.secret);
    }

    /// The uses of API secrets.
    pub(super) fn take_of_apis(&self) -> Vec<SecretUsage> {
        let taken = std::mem::take(&mut self.lock().api_secrets);
        taken.all().map(of_secret).collect()
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
            pending.of_clients(&used);
        }
    }

    /// The same of APIs.
    pub(super) fn put_back_of_apis(&self, unwritten: &[SecretUsage]) {
        let mut pending = self.lock();
        unwritten.iter().for_each(|used| pending.of_apis(used));
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

    fn of_clients(&mut self, used: &SecretUsage) {
        add(&mut self.secrets, self.most, used);
    }

    fn of_apis(&mut self, used: &SecretUsage) {
        add(&mut self.api_secrets, self.most, used);
    }
}

/// Adds uses of a secret to those of the others, if there is room.
fn add(secrets: &mut Ranges<SecretId, Used>, most: usize, used: &SecretUsage) {
    let new = || Used { at: used.at, address: used.address, count: 0 };
    let Some(known) = secrets.of(used.secret, most, new) else {
        return;
    };
    known.count = known.count.saturating_add(narrow(used.count));
    if known.at <= used.at {
        (known.at, known.address) = (used.at, used.address);
    }
}

fn of_secret((secret, Used { at, address, count }): (SecretId, Used)) -> SecretUsage {
    SecretUsage { secret, at, address, count: count.into() }
}

/// More than four thousand millions between two writes are that many.
fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
