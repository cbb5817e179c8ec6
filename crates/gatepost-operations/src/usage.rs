//! This file is where it is counted what clients do, in memory first and in the store twice a second.
//!
//! The idea: a request adds to a counter and goes on; a task writes what has come together in one batch.
//! The limit: counters are kept for a bounded number of clients and secrets between two writes; beyond it only the
//! total is kept. The price: a crash forgets the last second. Nothing here can fail or slow a token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::clients::{ClientId, SecretId};
use gatepost_core::secret::SecretTag;
use gatepost_core::time::Timestamp;
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};
use gatepost_store::StoreError;
use serde::Serialize;

use crate::clients;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::limits;

/// More different clients or secrets than this between two writes are not told apart.
const MOST: usize = 200_000;

/// What happened since the last write.
#[derive(Default)]
pub struct Usage {
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    clients: HashMap<(ClientId, Hour), Counts>,
    secrets: HashMap<SecretId, SecretUsage>,
    api_secrets: HashMap<SecretId, SecretUsage>,
    retagged: HashMap<SecretId, (ClientId, SecretTag)>,
    passed_over: u64,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    issued: u64,
    refused: u64,
}

impl Usage {
    /// A client got a token; `secret` proved it, if a secret did.
    pub fn issued(
        &self,
        client: &ClientId,
        secret: Option<SecretId>,
        address: Option<IpAddr>,
        at: Timestamp,
    ) {
        let mut pending = self.lock();
        if let Some(counts) = pending.counts(client, at) {
            counts.issued = counts.issued.saturating_add(1);
        }
        if let Some(secret) = secret {
            used(&mut pending.secrets, secret, address, at);
        }
    }

    /// An API asked about a token or for the feed; `secret` proved it.
    pub fn asked(&self, secret: SecretId, address: Option<IpAddr>, at: Timestamp) {
        used(&mut self.lock().api_secrets, secret, address, at);
    }

    /// A client got the token that it has already; `secret` proved it, if a secret did.
    pub fn used(&self, secret: Option<SecretId>, address: Option<IpAddr>, at: Timestamp) {
        if let Some(secret) = secret {
            used(&mut self.lock().secrets, secret, address, at);
        }
    }

    /// A secret was shown whose stored tag was made under an older pepper: it moves to the present one.
    pub fn retagged(&self, client: &ClientId, secret: SecretId, tag: &SecretTag) {
        let mut pending = self.lock();
        if pending.retagged.len() < MOST {
            pending.retagged.entry(secret).or_insert_with(|| (client.clone(), tag.clone()));
        }
    }

    /// A client that had shown who it is was refused.
    pub fn refused(&self, client: &ClientId, at: Timestamp) {
        if let Some(counts) = self.lock().counts(client, at) {
            counts.refused = counts.refused.saturating_add(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Pending {
        std::mem::take(&mut *self.lock())
    }

    fn put_back(&self, unwritten: Pending) {
        let mut pending = self.lock();
        for ((client, hour), counts) in unwritten.clients {
            if let Some(known) = pending.counts(&client, hour.begins()) {
                known.issued = known.issued.saturating_add(counts.issued);
                known.refused = known.refused.saturating_add(counts.refused);
            }
        }
        used_before(&mut pending.secrets, unwritten.secrets);
        used_before(&mut pending.api_secrets, unwritten.api_secrets);
    }
}

impl Pending {
    fn counts(&mut self, client: &ClientId, at: Timestamp) -> Option<&mut Counts> {
        let key = (client.clone(), Hour::of(at));
        if self.clients.len() >= MOST && !self.clients.contains_key(&key) {
            self.passed_over = self.passed_over.saturating_add(1);
            return None;
        }
        Some(self.clients.entry(key).or_default())
    }

    fn is_empty(&self) -> bool {
        self.clients.is_empty()
            && self.secrets.is_empty()
            && self.api_secrets.is_empty()
            && self.retagged.is_empty()
    }
}

fn used(
    known: &mut HashMap<SecretId, SecretUsage>,
    secret: SecretId,
    address: Option<IpAddr>,
    at: Timestamp,
) {
    if known.len() >= MOST && !known.contains_key(&secret) {
        return;
    }
    let known = known.entry(secret).or_insert(SecretUsage { secret, at, address, count: 0 });
    (known.at, known.address) = (at.max(known.at), address);
    known.count = known.count.saturating_add(1);
}

/// Adds uses that were not written; what is known came after them.
fn used_before(known: &mut HashMap<SecretId, SecretUsage>, before: HashMap<SecretId, SecretUsage>) {
    for (secret, earlier) in before {
        let known = known.entry(secret).or_insert(SecretUsage { count: 0, ..earlier.clone() });
        known.count = known.count.saturating_add(earlier.count);
    }
}

/// Writes what has come together; what can't be written is kept for the next time.
pub async fn flush(gate: &Gate) -> Result<(), Failure> {
    let pending = gate.usage.take();
    if pending.passed_over > 0 {
        tracing::warn!(
            count = pending.passed_over,
            "too many different clients in a second; some counts are lost"
        );
    }
    if pending.is_empty() {
        return Ok(());
    }
    retag(gate, &pending.retagged).await;
    let written = write(gate, &pending).await;
    // Those of APIs are written last: when that fails, the others must not be counted twice.
    match &written {
        Ok(()) => {}
        Err((Half::Clients, _)) => gate.usage.put_back(pending),
        Err((Half::Apis, _)) => {
            gate.usage.put_back(Pending { api_secrets: pending.api_secrets, ..Pending::default() });
        }
    }
    written.map_err(|(_, error)| error.into())
}

/// The half that could not be written.
enum Half {
    Clients,
    Apis,
}

async fn write(gate: &Gate, pending: &Pending) -> Result<(), (Half, StoreError)> {
    let counted = pending.clients.iter().map(|((client, hour), counts)| ClientUsage {
        client: client.clone(),
        hour: *hour,
        issued: counts.issued,
        refused: counts.refused,
    });
    let clients: Vec<_> = counted.collect();
    let [secrets, api_secrets] =
        [&pending.secrets, &pending.api_secrets].map(|used| used.values().cloned().collect::<Vec<_>>());

    if !clients.is_empty() || !secrets.is_empty() {
        gate.store.add_usage(&clients, &secrets).await.map_err(|error| (Half::Clients, error))?;
        gate.limits.written(&clients);
        limits::look_for_hoarders(gate, &clients).await;
    }
    if !api_secrets.is_empty() {
        gate.store.add_api_usage(&api_secrets).await.map_err(|error| (Half::Apis, error))?;
    }
    Ok(())
}

/// Moves secrets to the present pepper. One that can't be moved now is moved at its next use.
async fn retag(gate: &Gate, retagged: &HashMap<SecretId, (ClientId, SecretTag)>) {
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
    let found = clients::find(gate, client).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_a_client_in_an_hour_come_together_in_one_count() {
        let usage = Usage::default();
        let client = ClientId::parse("c").unwrap();
        let secret = SecretId(uuid::Uuid::nil());
        for second in [1, 3_599, 3_600] {
            let at = Timestamp::from_micros(second * 1_000_000);
            usage.issued(&client, Some(secret), Some([10, 0, 0, 1].into()), at);
        }
        usage.refused(&client, Timestamp::from_micros(0));

        let pending = usage.take();
        let first = pending.clients[&(client.clone(), Hour(0))];
        assert_eq!((first.issued, first.refused), (2, 1));
        assert_eq!(pending.clients[&(client, Hour(1))].issued, 1);
        assert_eq!((pending.secrets[&secret].count, pending.secrets[&secret].at.seconds()), (3, 3_600));
    }

    #[test]
    fn what_could_not_be_written_is_added_to_what_came_meanwhile() {
        let usage = Usage::default();
        let client = ClientId::parse("c").unwrap();
        let at = Timestamp::from_micros(0);
        usage.issued(&client, None, None, at);
        let unwritten = usage.take();
        usage.issued(&client, None, None, at);
        usage.put_back(unwritten);

        assert_eq!(usage.take().clients[&(client, Hour(0))].issued, 2);
    }
}
