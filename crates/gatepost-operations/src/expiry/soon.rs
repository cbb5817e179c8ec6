//! This file is where it is known in memory what expires soon.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatepost_core::change::Subject;
use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;
use gatepost_core::time::Timestamp;
use gatepost_store::Store;
use tokio::sync::Mutex;

use crate::failure::Failure;

/// So far ahead it is known what expires; half of it is longer than `cache.offline_grace` can be.
const AHEAD: Duration = Duration::from_secs(50 * 3_600);

/// How many are known ahead.
const MOST: u32 = 10_000;

/// What expires soon, and what has without its being written down yet.
pub struct Expiries {
    most: u32,
    soon: ArcSwap<Soon>,
    /// One read at a time: an older one must not be put in place of a newer one.
    reading: Mutex<()>,
}

struct Soon {
    clients: HashMap<ClientId, Timestamp>,
    partners: HashMap<PartnerId, Timestamp>,
    /// What expires later than this is not among them.
    known_until: Timestamp,
}

impl Default for Soon {
    fn default() -> Self {
        let known_until = Timestamp::from_micros(i64::MIN);
        Self { clients: HashMap::new(), partners: HashMap::new(), known_until }
    }
}

impl Default for Expiries {
    fn default() -> Self {
        Self::knowing(MOST)
    }
}

impl Expiries {
    /// Nothing yet, and never more than the soonest `most`.
    pub(crate) fn knowing(most: u32) -> Self {
        Self { most, soon: ArcSwap::default(), reading: Mutex::default() }
    }

    /// Reads what expires soon.
    pub async fn take_up(&self, store: &dyn Store, now: Timestamp) -> Result<(), Failure> {
        let _one_at_a_time = self.reading.lock().await;
        let ahead = now.after(AHEAD);
        let found = store.expiring(ahead, self.most).await?;
        let are_all = u32::try_from(found.len()).is_ok_and(|count| count < self.most);
        let last = found.last().map_or(ahead, |(_, at)| *at);

        let mut soon = Soon { known_until: if are_all { ahead } else { last }, ..Soon::default() };
        for (subject, at) in found {
            match subject {
                Subject::Client(id) => drop(soon.clients.insert(id, at)),
                Subject::Partner(id) => drop(soon.partners.insert(id, at)),
                Subject::Api(_) | Subject::Revocation(_) | Subject::Server => {}
            }
        }
        self.soon.store(Arc::new(soon));
        Ok(())
    }

    /// Whether a client, or its partner, has expired without its being written down yet.
    pub fn have_ended(&self, client: &str, partner: Option<&str>, now: Timestamp) -> bool {
        let soon = self.soon.load();
        if soon.clients.is_empty() && soon.partners.is_empty() {
            return false;
        }
        let client = ClientId::parse(client).and_then(|id| soon.clients.get(&id));
        let partner = partner.and_then(|id| id.parse().ok()).and_then(|id| soon.partners.get(&PartnerId(id)));
        client.into_iter().chain(partner).any(|at| *at <= now)
    }

    pub(super) fn runs_out(&self, now: Timestamp) -> bool {
        self.soon.load().known_until < now.after(AHEAD / 2)
    }

    /// Whether something may be due that is not known.
    pub(super) fn hides_some(&self, now: Timestamp) -> bool {
        self.soon.load().known_until <= now
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<Subject> {
        let soon = self.soon.load();
        let clients = soon.clients.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone());
        let partners = soon.partners.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id);
        clients.map(Subject::Client).chain(partners.map(Subject::Partner)).collect()
    }
}
