//! This file is where the tokens of a client are held against its quotas of the day and the month.
//!
//! Counted is in memory; a request waits for the store only when it is the first of its client. What others granted is
//! looked up beside the requests: each second, and at once when somebody asks of whom nothing was heard for a while.
//! Cut off from the store a node goes on with what it knows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::limits::{Allowance, Day, Issued, Month};
use gatepost_core::refusal::{Code, Refusal};
use gatepost_core::time::Timestamp;

use super::counted::{Counted, Knowledge};
use crate::failure::Failure;
use crate::gate::Gate;

/// So many clients are looked up in a second; the others follow in the next.
const AT_ONCE: usize = 1_000;

/// A token that is counted; it is given back unless it gets out.
#[derive(Default)]
pub(crate) struct Taken {
    counted: Option<(Arc<Counted>, ClientId, Timestamp)>,
    allowances: Vec<Allowance>,
}

/// Counts one more token of the client, if it has a quota; over it the token is refused.
///
/// It is told of whichever of its limits holds it back longest; `rates` are those that let this request pass.
pub(crate) async fn take(
    gate: &Gate,
    record: &ClientRecord,
    rates: &[Allowance],
    now: Timestamp,
) -> Result<Taken, Refusal> {
    if !record.limits.has_quota() {
        return Ok(Taken::default());
    }
    gate.limits.has_quotas.store(true, Ordering::Relaxed);
    let client = &record.client.id;
    let unknown =
        |why: String| Code::TemporarilyUnavailable.because(format!("the quota is not known: {why}"));
    match gate.limits.clients.knowledge(client, now) {
        Knowledge::Fresh => {}
        // Meanwhile what is known counts on.
        Knowledge::Stale => gate.limits.settling.want(),
        Knowledge::None => meet(gate, client).await.map_err(|failure| unknown(failure.to_string()))?,
    }
    let taken = gate.limits.clients.take(client, &record.limits, now);
    let taken = taken.ok_or_else(|| unknown("too many clients with limits are under way".to_owned()))?;
    match taken {
        Ok(allowances) => {
            let counted = Some((Arc::clone(&gate.limits.clients), client.clone(), now));
            Ok(Taken { counted, allowances })
        }
        Err(quota) => Err(super::used_up(gate, "the client is known", quota.or_longer(rates))),
    }
}

/// How the quotas of a client stand that gets the token it has; nothing is counted.
///
/// Who is not known any more, since others took its place, is told nothing: such a token waits for no store.
pub(crate) fn quotas_standing(gate: &Gate, record: &ClientRecord, now: Timestamp) -> Vec<Allowance> {
    if !record.limits.has_quota() {
        return Vec::new();
    }
    let client = &record.client.id;
    if gate.limits.clients.knowledge(client, now) == Knowledge::Stale {
        gate.limits.settling.want();
    }
    gate.limits.clients.standing(client, &record.limits, now)
}

/// Looks up what other nodes granted to the clients that were asked for since the last time.
pub(crate) async fn refresh(gate: &Gate) -> Result<(), Failure> {
    let clients = gate.limits.clients.touched(AT_ONCE);
    if clients.is_empty() {
        return Ok(());
    }
    let _alone = gate.limits.settling.alone().await;
    let asked = gate.clock.now();
    let found = gate.store.issued(&clients, Day::of(asked), Month::of(asked)).await?;
    for client in &clients {
        gate.limits.clients.refreshed(client, of(&found, client), asked, gate.clock.now());
    }
    Ok(())
}

/// Looks up a client of whom nothing is known. What this node granted it under a quota is written by now, or it would be
/// known; of what it got here before it had one the last may not be, and is found with the next look.
async fn meet(gate: &Gate, client: &ClientId) -> Result<(), Failure> {
    let asked = gate.clock.now();
    let found = gate.store.issued(std::slice::from_ref(client), Day::of(asked), Month::of(asked)).await?;
    // Who finds no room is refused when it takes a token.
    let _ = gate.limits.clients.met(client, of(&found, client), asked, gate.clock.now());
    Ok(())
}

fn of(found: &[(ClientId, Issued)], client: &ClientId) -> Issued {
    found.iter().find(|(id, _)| id == client).map_or(Issued::default(), |(_, stored)| *stored)
}

impl Taken {
    /// The token got out; how the client stands now.
    pub(crate) fn got_out(mut self) -> Vec<Allowance> {
        self.counted = None;
        std::mem::take(&mut self.allowances)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some((counted, client, at)) = self.counted.take() {
            counted.give_back(&client, at);
        }
    }
}
