//! This file is where the clock moves keys on in their lives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::gate::Gate;
use crate::keys::{self, Waiting};

/// How often it is looked whether something is due, beside when something changed; from memory, so it costs next to nothing.
const EVERY: Duration = Duration::from_secs(1);

/// Looks until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = gate.followed.changes();
        let mut told = Told::default();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = changes.changed() => {}
            }
            if let Err(failure) = keys::tick(&gate).await {
                tracing::warn!(why = %failure, "the keys could not be moved on; it is tried again");
            }
            told.remind(keys::waiting(&gate));
        }
    })
}

/// Of which waiting key of each API the log has told: once for each is enough.
#[derive(Default)]
struct Told(BTreeMap<String, String>);

impl Told {
    fn remind(&mut self, waiting: Vec<Waiting>) {
        self.0.retain(|api, _| waiting.iter().any(|known| known.api == *api));
        for Waiting { api, kid, since } in waiting {
            if self.0.get(&api) != Some(&kid) {
                tracing::warn!(
                    api,
                    kid,
                    since,
                    "the next key waits: tokens of its API name no key, so it signs when it is promoted"
                );
                self.0.insert(api, kid);
            }
        }
    }
}
