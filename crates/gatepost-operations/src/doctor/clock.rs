//! This file is where the machine's clock is held against what was written down: time does not run backwards.

use gatepost_core::time::Timestamp;

use super::Check;
use crate::clock::written;
use crate::failure::Failure;
use crate::gate::Gate;

/// The time now, and that of the last change.
pub(super) async fn check(gate: &Gate) -> Result<Check, Failure> {
    let now = gate.clock.now();
    let before = gate.store.head().await?.saturating_sub(1);
    let lines = gate.store.audit_lines(before, 1).await?;
    let last = lines.last().map_or(now, |line| Timestamp::from_micros(line.at));

    let ahead = last.since(now);
    if ahead > gate.config.tokens.leeway {
        let why = format!("the last change was written at {}, now it is {}", written(last), written(now));
        let fix = "set the clock (chrony, systemd-timesyncd); tokens are valid from and until its time";
        return Ok(Check::fail("clock", "the clock is behind the last change", why, fix));
    }
    Ok(Check::ok("clock", format!("{}, after the last change at {}", written(now), written(last))))
}
