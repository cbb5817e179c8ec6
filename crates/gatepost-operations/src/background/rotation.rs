//! This file is where the clock moves keys on in their lives, and what is over is swept away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::usage::Hour;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::keys::{self, Waiting};

/// How often it is looked whether something is due, beside when something changed; from memory, so it costs next to nothing.
const EVERY: Duration = Duration::from_secs(1);

/// How many rows are swept at a time.
const AT_ONCE: u32 = 1_000;

/// Counts by the hour are kept so long.
const KEEP_USAGE: Duration = Duration::from_secs(400 * 86_400);

/// Looks until the returned task is aborted.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = gate.followed.changes();
        let (mut until_sweep, mut told) = (0_u32, Told::default());
        loop {
            let is_news = tokio::select! {
                _ = ticks.tick() => false,
                changed = changes.changed() => changed.is_ok(),
            };
            if let Err(failure) = keys::tick(&gate).await {
                tracing::warn!(why = %failure, "the keys could not be moved on; it is tried again");
            }
            told.remind(keys::waiting(&gate));
            if is_news {
                continue;
            }
            until_sweep = until_sweep.checked_sub(1).unwrap_or(60);
            if until_sweep == 0
                && let Err(failure) = sweep(&gate).await
            {
                tracing::warn!(why = %failure, "what is over could not be swept away; it is tried again");
            }
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

/// Forgets what nobody can ask for any more.
pub async fn sweep(gate: &Gate) -> Result<(), Failure> {
    let now = gate.clock.now();
    while gate.store.forget_revocations(now, AT_ONCE).await? >= u64::from(AT_ONCE) {}
    while gate.store.forget_assertions(now, AT_ONCE).await? >= u64::from(AT_ONCE) {}
    let before = Hour::of(now.before(KEEP_USAGE));
    while gate.store.forget_usage(before, AT_ONCE).await? >= u64::from(AT_ONCE) {}
    Ok(())
}
