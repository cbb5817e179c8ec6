//! This file is where clients and partners expire: on the moment for who asks here, and for good when it is written down.
//!
//! The idea: what expires soon is known in memory, so every answer is right from the first moment on, store or no store.
//! Then a step beside the requests writes the change and a revocation of all that was issued before, which guards
//! elsewhere hear of. Of several nodes one wins; after a restart past the moment it is done at the start.
//! The limit: the soonest ten thousand are known ahead; those behind them come up as these are done.

use std::collections::HashMap;

use arc_swap::ArcSwap;
use gatepost_core::actor::Actor;
use gatepost_core::change::Subject;
use gatepost_core::clients::{self, ClientId};
use gatepost_core::partners::{self, PartnerId};
use gatepost_core::time::Timestamp;
use gatepost_store::Store;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::gate::{Decision, Gate};
use crate::revocations;

/// So far ahead it is known what expires; half of it is longer than `cache.offline_grace` can be.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(50 * 3_600);

/// How many are known ahead.
const MOST: u32 = 10_000;

/// When a client or partner shall expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expires {
    /// Not at all.
    Never,
    /// At that moment.
    At(Timestamp),
}

impl Expires {
    /// The moment, which must be to come.
    pub(crate) fn moment(self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        match self {
            Self::Never => Ok(None),
            Self::At(moment) if moment > now => Ok(Some(moment)),
            Self::At(_) => {
                let fix = "give a time to come; to stop it now, suspend it";
                Err(Failure::invalid("expires.past", "that moment has passed", fix))
            }
        }
    }
}

/// What expires soon, and what has without its being written down yet.
#[derive(Default)]
pub struct Expiries {
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

impl Expiries {
    /// Reads what expires soon.
    pub async fn take_up(&self, store: &dyn Store, now: Timestamp) -> Result<(), Failure> {
        let _one_at_a_time = self.reading.lock().await;
        let ahead = now.after(AHEAD);
        let found = store.expiring(ahead, MOST).await?;
        let are_all = u32::try_from(found.len()).is_ok_and(|count| count < MOST);
        let last = found.last().map_or(ahead, |(_, at)| *at);

        let mut soon = Soon { known_until: if are_all { ahead } else { last }, ..Soon::default() };
        for (subject, at) in found {
            match subject {
                Subject::Client(id) => drop(soon.clients.insert(id, at)),
                Subject::Partner(id) => drop(soon.partners.insert(id, at)),
                Subject::Api(_) | Subject::Revocation(_) | Subject::Server => {}
            }
        }
        self.soon.store(std::sync::Arc::new(soon));
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

    fn runs_out(&self, now: Timestamp) -> bool {
        self.soon.load().known_until < now.after(AHEAD / 2)
    }

    fn due(&self, now: Timestamp) -> Vec<Subject> {
        let soon = self.soon.load();
        let clients = soon.clients.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone());
        let partners = soon.partners.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id);
        clients.map(Subject::Client).chain(partners.map(Subject::Partner)).collect()
    }
}

/// Writes down what has expired; from memory where nothing has. One that fails holds up no other.
pub async fn tick(gate: &Gate) -> Result<(), Failure> {
    let now = gate.clock.now();
    if gate.expiries.runs_out(now) {
        gate.expiries.take_up(&*gate.store, now).await?;
    }
    let mut outcome = Ok(());
    for subject in gate.expiries.due(now) {
        if let Err(failure) = expire(gate, &subject).await {
            outcome = Err(failure);
        }
    }
    outcome
}

async fn expire(gate: &Gate, subject: &Subject) -> Result<(), Failure> {
    let was_this_node = match subject {
        Subject::Client(id) => gate.settle(&Actor::System, move || client_expiry(gate, id)).await?,
        Subject::Partner(id) => gate.settle(&Actor::System, move || partner_expiry(gate, *id)).await?,
        Subject::Api(_) | Subject::Revocation(_) | Subject::Server => false,
    };
    if was_this_node {
        tracing::info!(noun = subject.noun(), id = subject.id(), "its time is over; its tokens were ended");
    }
    Ok(())
}

/// Nothing where another node was faster, or the expiry was moved meanwhile.
async fn client_expiry(gate: &Gate, id: &ClientId) -> Result<Decision<bool>, Failure> {
    let found = gate.store.client_record(id).await?;
    let due = found.as_ref().and_then(|found| clients::expire(&found.client, gate.clock.now()));
    let tokens = found.map(|found| revocations::of_stopped_client(gate, &found.client));
    let Some((change, tokens)) = due.zip(tokens) else {
        return Ok(Decision { basis: None, changes: Vec::new(), outcome: false });
    };
    Ok(Decision { basis: None, changes: vec![change, tokens], outcome: true })
}

async fn partner_expiry(gate: &Gate, id: PartnerId) -> Result<Decision<bool>, Failure> {
    let found = gate.store.partner(id).await?;
    let Some(change) = found.and_then(|found| partners::expire(&found, gate.clock.now())) else {
        return Ok(Decision { basis: None, changes: Vec::new(), outcome: false });
    };
    let tokens = revocations::of_stopped_partner(gate, id).await?;
    Ok(Decision { basis: None, changes: vec![change, tokens], outcome: true })
}
