//! This file is where it is summed up what a node holds in memory at the moment, for its metrics.

use std::time::Duration;

use gatepost_core::keys::KeyState;

use crate::gate::Gate;
use crate::{keys, news, status};

/// What a node holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) signing_queue: i64,
    pub(super) news_age: Duration,
    pub(super) store_reachable: bool,
    pub(super) seq: i64,
    /// By kind.
    pub(super) revocations: [(&'static str, usize); 3],
    /// By state.
    pub(super) keys: [(&'static str, usize); 5],
    /// Until the next step in the life of a key.
    pub(super) key_turn: Option<Duration>,
    pub(super) client_lookups: u64,
    pub(super) client_reads: u64,
}

const STATES: [KeyState; 5] =
    [KeyState::Published, KeyState::Signing, KeyState::Verifying, KeyState::Retired, KeyState::Revoked];

impl Held {
    pub(super) fn of(gate: &Gate) -> Self {
        let now = gate.clock.now();
        Self {
            signing_queue: i64::try_from(gate.pool.waiting()).unwrap_or(i64::MAX),
            news_age: news::age(gate),
            store_reachable: status::readiness(gate).store,
            seq: gate.followed.seq(),
            revocations: gate.revocations.now().counts(),
            keys: keys_by_state(gate),
            key_turn: keys::next_due(gate).map(|due| due.since(now)),
            client_lookups: gate.clients.lookups(),
            client_reads: gate.clients.reads(),
        }
    }
}

fn keys_by_state(gate: &Gate) -> [(&'static str, usize); 5] {
    let ring = gate.ring();
    let in_state = |state: KeyState| {
        let of_apis = ring.apis().iter().flat_map(|api| ring.stored_of(api.api.id));
        of_apis.filter(|key| key.state == state).count()
    };
    STATES.map(|state| (state.as_str(), in_state(state)))
}
