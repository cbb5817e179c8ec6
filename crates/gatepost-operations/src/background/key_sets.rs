//! This file is where the key sets that clients publish are fetched, so that no request waits for one.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::client_jwks;
use crate::gate::Gate;

/// How often it is looked whether a set is due, beside when clients were read ahead; from memory, so it costs next to nothing.
const EVERY: Duration = Duration::from_secs(1);

/// Fetches until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    gate.client_jwks.begin();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_met = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = gate.client_jwks.any_met() => has_met = true,
            }
            client_jwks::renew_due(&gate).await;
            if has_met {
                gate.client_jwks.end_start();
            }
        }
    })
}
