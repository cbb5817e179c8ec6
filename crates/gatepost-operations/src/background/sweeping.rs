//! This file is where what is over is swept away: revocations, ids of assertions and counts of long ago.

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::usage::Hour;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::failure::Failure;
use crate::gate::Gate;

/// How often; a start has enough to do without.
const EVERY: Duration = Duration::from_secs(60);
/// How many rows are swept at a time.
const AT_ONCE: u32 = 1_000;
/// Counts by the hour are kept so long.
const KEEP_USAGE: Duration = Duration::from_secs(400 * 86_400);

/// Sweeps until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(failure) = sweep(&gate).await {
                tracing::warn!(why = %failure, "what is over could not be swept away; it is tried again");
            }
        }
    })
}

/// Forgets what nobody can ask for any more.
pub async fn sweep(gate: &Gate) -> Result<(), Failure> {
    let now = gate.clock.now();
    while gate.store.forget_revocations(now, AT_ONCE).await? >= u64::from(AT_ONCE) {}
    while gate.store.forget_assertions(now, AT_ONCE).await? >= u64::from(AT_ONCE) {}
    let before = Hour::of(now.before(KEEP_USAGE));
    while gate.store.forget_usage(before, AT_ONCE).await? >= u64::from(AT_ONCE) {}
    Ok(())
}
