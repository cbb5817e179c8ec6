//! This file is where counts are written to the store, twice a second, and those of other nodes are looked up, once.

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
        loop {
            // The watch tells when the store does not answer; what is not written now is written later.
            ticks.tick().await;
            let _ = usage::flush(&gate).await;
            ticks.tick().await;
            let _ = once(&gate).await;
        }
    })
}

/// Writes what was counted here, and looks up what other nodes granted to clients with quotas.
pub async fn once(gate: &Gate) -> Result<(), Failure> {
    usage::flush(gate).await?;
    limits::refresh(gate).await
}
