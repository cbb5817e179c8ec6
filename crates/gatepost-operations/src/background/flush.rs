//! This file is where counts are written to the store, twice a second, and those of other nodes are looked up, once, or
//! sooner when a client asks of whom nothing was heard for a while.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::{limits, usage};

const EVERY: Duration = Duration::from_millis(500);

/// Writes until the returned task is aborted; the last counts are written by whoever stops the server.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_turn_to_look = false;
        loop {
            let is_wanted = tokio::select! {
                _ = ticks.tick() => false,
                () = gate.limits.settling.wanted() => true,
            };
            // The watch tells when the store does not answer; what is not written now is written later.
            if !is_wanted {
                let _ = usage::flush(&gate).await;
                is_turn_to_look = !is_turn_to_look;
            }
            if is_wanted || is_turn_to_look {
                let _ = limits::refresh(&gate).await;
            }
        }
    })
}

/// Writes what was counted here, and looks up what other nodes granted to clients with quotas.
pub async fn once(gate: &Gate) -> Result<(), Failure> {
    usage::flush(gate).await?;
    limits::refresh(gate).await
}
