//! This file is where counts are written to the store, twice a second, and those of other nodes are looked up, once, or
//! sooner when a client asks of whom nothing was heard for a while.
//!
//! Each client that asked costs a row. Where very many do, writing takes long, and then it is done less often: it has a
//! twentieth of the time, and each row then holds more. Nothing is put off where a client has a quota, for a crash may
//! forget, and grant again, a second at most.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::{limits, usage};

const EVERY: Duration = Duration::from_millis(500);
/// Of the time, one part in so many goes into writing.
const PARTS: u32 = 20;
/// Nothing waits for longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// Writes until the returned task is aborted; the last counts are written by whoever ends it.
pub fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut pace, mut is_turn_to_look) = (Pace::default(), false);
        loop {
            let is_wanted = tokio::select! {
                _ = ticks.tick() => false,
                () = gate.limits.settling.wanted() => true,
            };
            // The watch tells when the store does not answer; what is not written now is written later.
            if !is_wanted {
                let _ = pace.write(&gate).await;
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

/// From when on it is written again.
#[derive(Default)]
struct Pace(Duration);

impl Pace {
    async fn write(&mut self, gate: &Gate) -> Result<(), Failure> {
        let began = gate.clock.steady();
        if began < self.0 && !gate.limits.has_quotas() && !gate.usage.is_much() {
            return Ok(());
        }
        usage::flush(gate).await?;
        *self = Self::after(began, gate.clock.steady());
        Ok(())
    }

    fn after(began: Duration, ended: Duration) -> Self {
        let taken = ended.saturating_sub(began);
        Self(ended.saturating_add(taken.saturating_mul(PARTS).min(LONGEST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_a_write_takes_the_later_is_the_next_up_to_a_minute() {
        let after = |milliseconds| {
            let ended = Duration::from_millis(milliseconds);
            Pace::after(Duration::ZERO, ended).0.saturating_sub(ended)
        };
        assert_eq!(after(5), Duration::from_millis(100), "sooner than the next tick");
        assert_eq!(after(1_000), Duration::from_secs(20));
        assert_eq!(after(10_000), LONGEST);
    }
}
