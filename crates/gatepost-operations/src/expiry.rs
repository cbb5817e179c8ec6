//! This file is where clients and partners expire: on the moment for who asks here, and for good when it is written down.
//!
//! The idea: what expires soon is known in memory, so every answer is right from the first moment on, store or no store.
//! Then a step beside the requests writes the change and a revocation of all that was issued before, which guards
//! elsewhere hear of; many of one moment in few transactions. Of several nodes one wins; after a restart past the moment
//! it is done at the start.
//! The limit: the soonest ten thousand are known ahead; those behind them come up as these are done. A batch that fails
//! is written one by one, so that none holds up another.

use std::collections::HashMap;

use arc_swap::ArcSwap;
use gatepost_core::actor::Actor;
use gatepost_core::change::{Change, Subject};
use gatepost_core::clients::{self, ClientId};
use gatepost_core::partners::{self, PartnerId};
use gatepost_core::time::Timestamp;
use gatepost_store::Store;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::failure::{Failure, Kind};
use crate::gate::{Decision, Gate};
use crate::revocations;

/// So far ahead it is known what expires; half of it is longer than `cache.offline_grace` can be.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(50 * 3_600);

/// How many are known ahead.
const MOST: u32 = 10_000;

/// How many are written in one transaction: others who write wait for it.
const AT_ONCE: usize = 250;

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

    /// Whether something may be due that is not known.
    fn hides_some(&self, now: Timestamp) -> bool {
        self.soon.load().known_until <= now
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
    // What was written made room for those behind it.
    while write_due(gate, now).await? > 0 {
        if gate.expiries.hides_some(now) {
            gate.expiries.take_up(&*gate.store, now).await?;
        }
    }
    Ok(())
}

/// How many it was that this node wrote.
async fn write_due(gate: &Gate, now: Timestamp) -> Result<usize, Failure> {
    let (mut written, mut first_failure) = (0_usize, None);
    for batch in gate.expiries.due(now).chunks(AT_ONCE) {
        let outcome = match expire(gate, batch).await {
            Err(failure) if failure.kind != Kind::Unavailable => one_by_one(gate, batch).await,
            outcome => outcome,
        };
        match outcome {
            Ok(count) => written = written.saturating_add(count),
            Err(failure) => first_failure = first_failure.or(Some(failure)),
        }
    }
    first_failure.map_or(Ok(written), Err)
}

async fn one_by_one(gate: &Gate, batch: &[Subject]) -> Result<usize, Failure> {
    let (mut written, mut first_failure) = (0_usize, None);
    for subject in batch {
        match expire(gate, std::slice::from_ref(subject)).await {
            Ok(count) => written = written.saturating_add(count),
            Err(failure) => first_failure = first_failure.or(Some(failure)),
        }
    }
    first_failure.map_or(Ok(written), Err)
}

/// Writes them in one transaction; how many it was that this node wrote.
async fn expire(gate: &Gate, batch: &[Subject]) -> Result<usize, Failure> {
    let written = gate.settle(&Actor::System, || expiries(gate, batch)).await?;
    for subject in &written {
        tracing::info!(noun = subject.noun(), id = subject.id(), "its time is over; its tokens were ended");
    }
    Ok(written.len())
}

/// Of those whose expiry is still due: another node may have been faster, or it was moved meanwhile.
async fn expiries(gate: &Gate, batch: &[Subject]) -> Result<Decision<Vec<Subject>>, Failure> {
    let (mut ids, mut decision) = (Vec::new(), Decision { basis: None, changes: vec![], outcome: vec![] });
    for subject in batch {
        match subject {
            Subject::Client(id) => ids.push(id.clone()),
            Subject::Partner(id) => decision.add(subject, partner_expiry(gate, *id).await?),
            Subject::Api(_) | Subject::Revocation(_) | Subject::Server => {}
        }
    }
    for found in gate.store.client_records(&ids).await? {
        let subject = Subject::Client(found.client.id.clone());
        let change = clients::expire(&found.client, gate.clock.now());
        decision.add(
            &subject,
            change.map(|change| [change, revocations::of_stopped_client(gate, &found.client)]),
        );
    }
    Ok(decision)
}

async fn partner_expiry(gate: &Gate, id: PartnerId) -> Result<Option<[Change; 2]>, Failure> {
    let found = gate.store.partner(id).await?;
    let Some(change) = found.and_then(|found| partners::expire(&found, gate.clock.now())) else {
        return Ok(None);
    };
    Ok(Some([change, revocations::of_stopped_partner(gate, id).await?]))
}

impl Decision<Vec<Subject>> {
    fn add(&mut self, subject: &Subject, changes: Option<[Change; 2]>) {
        if let Some(changes) = changes {
            self.changes.extend(changes);
            self.outcome.push(subject.clone());
        }
    }
}
