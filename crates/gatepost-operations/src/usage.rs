//! This file is where it is counted what clients do, in memory first and in the store soon after.
//!
//! The idea: a request adds to a counter and goes on; a task writes what has come together, some thousand clients at a
//! time.
//! The limit: counters are kept for a bounded number of clients and secrets between two writes; beyond it only the
//! total is kept. The price: a crash forgets what was not written yet; `background/flush.rs` says how much that is.
//! Nothing here can fail or slow a token.

mod batch;
pub(crate) mod pending;
mod ranges;

use std::collections::HashMap;

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::clients::ClientId;
use gatepost_core::usage::{ClientUsage, Hour};
use serde::Serialize;

use crate::clients::found::find;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::limits;
use batch::Batch;
use pending::Retagged;
use ranges::RANGES;

pub use pending::Usage;

/// Clients of one transaction: whoever else writes waits for it.
const AT_ONCE: usize = 4_096;

/// Writes what has come together; what can't be written is kept for the next time.
pub async fn flush(gate: &Gate) -> Result<(), Failure> {
    let _alone = gate.limits.settling.alone().await;
    let (retagged, passed_over) = gate.usage.take_rest();
    if passed_over > 0 {
        tracing::warn!(
            count = passed_over,
            "too many different clients between two writes; some counts are lost"
        );
    }
    retag(gate, &retagged).await;
    let mut batch = Batch::default();
    for range in 0..RANGES {
        gate.usage.take(range, &mut batch);
        while batch.len() >= AT_ONCE {
            write(gate, &mut batch).await?;
        }
    }
    if batch.len() > 0 {
        write(gate, &mut batch).await?;
    }
    write_of_apis(gate).await
}

/// Writes the first of the batch; when that fails, all of it is kept.
async fn write(gate: &Gate, batch: &mut Batch) -> Result<(), Failure> {
    let (clients, secrets) = batch.first(AT_ONCE);
    if let Err(error) = gate.store.add_usage(clients, secrets).await {
        gate.usage.put_back(std::mem::take(batch));
        return Err(error.into());
    }
    gate.limits.written(clients);
    limits::look_for_hoarders(gate, clients).await;
    batch.skip(AT_ONCE);
    Ok(())
}

async fn write_of_apis(gate: &Gate) -> Result<(), Failure> {
    let used = gate.usage.take_of_apis();
    if used.is_empty() {
        return Ok(());
    }
    let written = gate.store.add_api_usage(&used).await;
    if written.is_err() {
        gate.usage.put_back_of_apis(&used);
    }
    Ok(written?)
}

/// Moves secrets to the present pepper. One that can't be moved now is moved at its next use.
async fn retag(gate: &Gate, retagged: &Retagged) {
    for (secret, (client, tag)) in retagged {
        let change = Change::SecretRetagged { client: client.clone(), secret: *secret, tag: tag.clone() };
        if let Err(failure) = gate.apply(&Actor::System, vec![change]).await {
            tracing::debug!(why = %failure, "a secret stays under its older pepper for now");
        }
    }
}

/// What a client did, summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageView {
    /// The client.
    pub client_id: String,
    /// The hour that the counts are of (RFC 3339); `None` for a sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<String>,
    /// Tokens it got.
    pub issued: u64,
    /// Requests of it that were refused after it was known who it is.
    pub refused: u64,
    /// What there is to tell the client about the last hour; beside the counts of the present or the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// The counts of a client by the hour, of the last `hours`.
pub async fn show(gate: &Gate, client: &str, hours: u32) -> Result<Vec<UsageView>, Failure> {
    let found = find(gate, client).await?;
    let (from, to) = span(gate, hours);
    let counts = gate.store.usage(Some(&found.client.id), from, to).await?;
    let view = |counts: ClientUsage| UsageView {
        client_id: counts.client.to_string(),
        hour: Some(crate::clock::written(counts.hour.begins())),
        issued: counts.issued,
        refused: counts.refused,
        notice: None,
    };
    let mut views: Vec<_> = counts.into_iter().map(view).collect();
    let notice = limits::of_last_hour(gate, &found).await?;
    if let (Some(last), Some(notice)) = (views.last_mut(), notice) {
        last.notice = Some(notice.to_string());
    }
    Ok(views)
}

/// The clients that got the most tokens in the last `hours`, at most `most`.
pub async fn top(gate: &Gate, hours: u32, most: usize) -> Result<Vec<UsageView>, Failure> {
    let (from, to) = span(gate, hours);
    let mut sums: HashMap<ClientId, UsageView> = HashMap::new();
    for counts in gate.store.usage(None, from, to).await? {
        let client_id = counts.client.to_string();
        let empty = UsageView { client_id, hour: None, issued: 0, refused: 0, notice: None };
        let sum = sums.entry(counts.client).or_insert(empty);
        sum.issued = sum.issued.saturating_add(counts.issued);
        sum.refused = sum.refused.saturating_add(counts.refused);
    }
    let mut top: Vec<_> = sums.into_values().collect();
    top.sort_by(|a, b| b.issued.cmp(&a.issued).then_with(|| a.client_id.cmp(&b.client_id)));
    top.truncate(most);
    Ok(top)
}

fn span(gate: &Gate, hours: u32) -> (Hour, Hour) {
    let to = Hour::of(gate.clock.now());
    (Hour(to.0.saturating_sub(i64::from(hours.max(1)) - 1)), to)
}
