//! This file is where a running server follows what other processes change in its store.
//!
//! The database is the only bus: the watch asks it for the number of the last change and drops what changed since.
//! The price is one small read each `cache.refresh`; the limit is that a change is taken up that much later at most.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::failure::Kind;
use crate::gate::Gate;
use crate::news;

/// Follows the store until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(gate.config.cache.refresh);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reachable = true;
        loop {
            ticks.tick().await;
            let outcome = news::take_up(&gate).await;
            // Said when it changes, not each half second.
            match (&outcome, reachable) {
                (Err(failure), true) if failure.kind == Kind::Configuration => {
                    tracing::error!(why = %failure, fix = failure.fix, "a new key can't be opened; nothing that changed is taken up");
                }
                (Err(failure), true) => {
                    tracing::error!(why = %failure, "the store does not answer; known clients are served from memory");
                }
                (Ok(()), false) => tracing::info!("the store answers again, and what changed is taken up"),
                (Err(_), false) | (Ok(()), true) => {}
            }
            reachable = outcome.is_ok();
        }
    })
}
