//! This file is where it is written down on time that clients and partners have expired.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::expiry;
use crate::gate::Gate;

/// How often it is looked whether something is due; from memory, so it costs next to nothing.
const EVERY: Duration = Duration::from_millis(250);

/// Looks until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut works = true;
        loop {
            ticks.tick().await;
            let outcome = expiry::tick(&gate).await;
            // Said when it begins to fail, not four times a second.
            if let (Err(failure), true) = (&outcome, works) {
                tracing::warn!(why = %failure, "what has expired could not be written down; it is tried again");
            }
            works = outcome.is_ok();
        }
    })
}
