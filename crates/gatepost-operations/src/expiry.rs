//! This file is where clients and partners expire: on the moment for who asks here, and for good when it is written down.
//!
//! The idea: what expires soon is known in memory, so every answer is right from the first moment on, store or no store.
//! Then a step beside the requests writes the change and a revocation of all that was issued before, which guards
//! elsewhere hear of; many of one moment in few transactions. Of several nodes one wins; after a restart past the moment
//! it is done at the start.
//! The limit: the soonest ten thousand are known ahead; those behind them come up as these are done. A batch that fails
//! is written one by one, so that none holds up another.

pub(crate) mod moment;
pub(crate) mod soon;

pub use moment::Expires;
pub use soon::Expiries;

use gatepost_core::actor::Actor;
use gatepost_core::change::{Change, Subject};
use gatepost_core::clients;
use gatepost_core::partners::{self, PartnerId};
use gatepost_core::time::Timestamp;

use crate::decision::Decision;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::revocations;

/// How many are written in one transaction: others who write wait for it.
const AT_ONCE: usize = 250;

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
