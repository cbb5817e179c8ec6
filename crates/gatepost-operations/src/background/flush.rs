//! This file is where counts are written to the store, twice a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::gate::Gate;
use crate::usage;

const EVERY: Duration = Duration::from_millis(500);

/// Writes until the returned task is aborted; the last counts are written by whoever stops the server.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // The watch tells when the store does not answer; what is not written now is written later.
            let _ = usage::flush(&gate).await;
        }
    })
}
