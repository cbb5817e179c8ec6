//! This file is where it is looked for clients that lose their last secret soon.

use std::time::Duration;

use gatepost_core::clients::{Client, SecretState};
use gatepost_core::partners::Status;
use gatepost_core::time::Timestamp;
use gatepost_store::Page;

use super::Check;
use crate::failure::Failure;
use crate::gate::Gate;

/// So much time people need to hand over another one.
const SOON: Duration = Duration::from_secs(7 * 86_400);

/// As many clients as an answer for people can name.
const NAMED: usize = 5;

const AT_ONCE: u32 = 1_000;

/// Clients whose every usable secret ends within a week.
pub(super) async fn check(gate: &Gate) -> Result<Check, Failure> {
    let mut losing = Vec::new();
    let (mut offset, mut count) = (0_u32, 0_usize);
    loop {
        let clients = gate.store.clients(None, Page { offset, limit: AT_ONCE }).await?;
        for client in clients.iter().filter(|client| client.status == Status::Active) {
            count = count.saturating_add(1);
            if loses_access(gate, client).await? {
                losing.push(client.id.to_string());
            }
        }
        if u32::try_from(clients.len()).is_ok_and(|found| found < AT_ONCE) {
            break;
        }
        offset = offset.saturating_add(AT_ONCE);
    }
    if losing.is_empty() {
        return Ok(Check::ok(
            "secrets",
            format!("none of {count} clients loses its last secret within 7 days"),
        ));
    }
    let named = losing.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if losing.len() > NAMED { " and others" } else { "" };
    let what = format!("{} clients lose their last secret within 7 days", losing.len());
    Ok(Check::warn("secrets", what, format!("{named}{more}"), "gatepost secret add CLIENT, and hand it over"))
}

/// Whether what the client can use now can't be used any more then. One that uses keys, or nothing, loses nothing.
async fn loses_access(gate: &Gate, client: &Client) -> Result<bool, Failure> {
    if !client.may_use_secrets() {
        return Ok(false);
    }
    let now = gate.clock.now();
    let secrets = gate.store.secrets(&client.id).await?;
    let usable = |at: Timestamp| secrets.iter().any(|secret| secret.state(at) == SecretState::Active);
    if !usable(now) || usable(now.after(SOON)) {
        return Ok(false);
    }
    let record = gate.store.client_record(&client.id).await?;
    Ok(record.is_none_or(|record| !record.has_usable_key()))
}
