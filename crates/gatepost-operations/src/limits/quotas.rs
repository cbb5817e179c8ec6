//! This file is where the tokens of a client are held against its quotas of the day and the month.
//!
//! Counted is in memory; the store is asked when a client is met for the first time, or again after a while, and beside
//! the requests each second. Cut off from the store a node goes on with what it knows.

use std::sync::Arc;

use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::limits::{Day, Issued, Month, Standing};
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
    standings: Vec<Standing>,
}

/// Counts one more token of the client, if it has a quota; over it the token is refused.
pub(crate) async fn take(gate: &Gate, record: &ClientRecord, now: Timestamp) -> Result<Taken, Refusal> {
    if !record.limits.has_quota() {
        return Ok(Taken::default());
    }
    let client = &record.client.id;
    let unknown =
        |why: String| Code::TemporarilyUnavailable.because(format!("the quota is not known: {why}"));
    match gate.limits.clients.knowledge(client, now) {
        Knowledge::Fresh => {}
        // Without an answer what is known counts on.
        Knowledge::Stale => drop(look_up(gate, std::slice::from_ref(client)).await),
        Knowledge::None => {
            let found = look_up(gate, std::slice::from_ref(client)).await;
            found.map_err(|failure| unknown(failure.to_string()))?;
        }
    }
    let taken = gate.limits.clients.take(client, &record.limits, now);
    let taken = taken.ok_or_else(|| unknown("too many clients with limits are under way".to_owned()))?;
    match taken {
        Ok(standings) => {
            let counted = Some((Arc::clone(&gate.limits.clients), client.clone(), now));
            Ok(Taken { counted, standings })
        }
        Err(standing) => Err(super::used_up(gate, "the client is known", standing)),
    }
}

/// Looks up what other nodes granted to the clients that were asked for since the last time.
pub(crate) async fn refresh(gate: &Gate) -> Result<(), Failure> {
    let touched = gate.limits.clients.touched(AT_ONCE);
    if touched.is_empty() { Ok(()) } else { look_up(gate, &touched).await }
}

async fn look_up(gate: &Gate, clients: &[ClientId]) -> Result<(), Failure> {
    let asked = gate.clock.now();
    let found = gate.store.issued(clients, Day::of(asked), Month::of(asked)).await?;
    for client in clients {
        let stored =
            found.iter().find(|(id, _)| id == client).map_or(Issued::default(), |(_, stored)| *stored);
        // Who finds no room is refused when it takes a token.
        let _ = gate.limits.clients.learn(client, stored, asked, gate.clock.now());
    }
    Ok(())
}

impl Taken {
    /// The token got out; how the client stands now.
    pub(crate) fn got_out(mut self) -> Vec<Standing> {
        self.counted = None;
        std::mem::take(&mut self.standings)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some((counted, client, at)) = self.counted.take() {
            counted.give_back(&client, at);
        }
    }
}
