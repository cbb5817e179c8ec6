//! This file is where a client is told that it takes far more tokens than it needs.
//!
//! Whoever tells it shows the text of core's `Hoarding`: usage and other edges ask here for it, and the log, of what this
//! node issued, in `hoarders.rs`.

use gatepost_core::clients::ClientRecord;
use gatepost_core::limits::{Hoarding, tokens_of_last_hour};
use gatepost_core::usage::Hour;

use crate::clients::found::find;
use crate::failure::Failure;
use crate::gate::Gate;

/// What there is to tell a client about the tokens that it took in the last hour, on all nodes.
pub async fn notice(gate: &Gate, client: &str) -> Result<Option<Hoarding>, Failure> {
    let found = find(gate, client).await?;
    of_last_hour(gate, &found).await
}

pub(crate) async fn of_last_hour(gate: &Gate, record: &ClientRecord) -> Result<Option<Hoarding>, Failure> {
    let now = gate.clock.now();
    let present = Hour::of(now);
    let before = Hour(present.0.saturating_sub(1));
    let counts = gate.store.usage(Some(&record.client.id), before, present).await?;
    let of = |hour| counts.iter().filter(|count| count.hour == hour).map(|count| count.issued).sum::<u64>();
    let tokens = tokens_of_last_hour(of(present), of(before), now);
    Ok(Hoarding::seen(tokens, record.client.lifetime, gate.config.limits.hoarding))
}
