//! This file is where it is written down on time that clients and partners have expired.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::complaint::Complaint;
use crate::expiry;
use crate::gate::Gate;

/// How often it is looked whether something is due; from memory, so it costs next to nothing.
const EVERY: Duration = Duration::from_millis(250);

/// Looks until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut complaint = Complaint::default();
        loop {
            ticks.tick().await;
            let outcome = expiry::tick(&gate).await;
            complaint.hear(&outcome, |failure| {
                tracing::warn!(why = %failure, "what has expired could not be written down; it is tried again");
            });
        }
    })
}
