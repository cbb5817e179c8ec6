//! This folder is where it is counted how much clients and addresses take, and where who takes too much is held back.
//!
//! The idea: who is nobody is counted in tables of one size whatever comes (`sketch.rs`), after authentication said no, so
//! no count can turn against right credentials. Clients that have limits are counted one by one (`counted.rs`), and so
//! are the addresses of known clients (`addresses.rs`).
//! The limits: rates are each node's own; quotas are of all nodes, as each knew them a second ago.
//! The price: a client without limits costs one comparison.

mod addresses;
mod administer;
mod counted;
pub(crate) mod counts;
mod failures;
mod hoarders;
mod hoarding;
mod in_force;
mod quotas;
mod replay;
mod settling;
mod sketch;

pub use administer::{ClearLimits, LimitsView, SetLimits, clear, set, show};
pub use hoarding::notice;
pub use in_force::{Amount, InForce, Origin};

pub(crate) use hoarding::of_last_hour;
pub(crate) use quotas::{Taken, quotas_standing, refresh, take};

use std::net::IpAddr;
use std::sync::Arc;

use gatepost_core::clients::{AuthenticatedClient, ClientRecord};
use gatepost_core::grants::Grant;
use gatepost_core::limits::{Allowance, Neighborhood, Policy, Verdict};
use gatepost_core::refusal::{Code, Refusal};
use gatepost_core::time::Timestamp;
use gatepost_core::usage::ClientUsage;

use crate::gate::Gate;
use crate::key_ring::KeyRing;
use crate::tokens::issued::IssuedToken;

/// Counts a request of a client that showed who it is; over a rate it is refused.
pub(crate) fn admit(
    gate: &Gate,
    who: &AuthenticatedClient,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Vec<Allowance>, Refusal> {
    let settings = &gate.config.limits;
    let client = who.record();
    let rate = client.limits.tokens.unwrap_or(settings.tokens_per_client);
    let mut allowances = Vec::new();

    if !settings.tokens_per_address.is_off() {
        let rate = settings.tokens_per_address;
        let who = (&client.client.id, client.client.partner_id);
        // Who can't be counted is served: nobody is refused because of what others take elsewhere.
        if let Some(verdict) = gate.limits.addresses.take(Neighborhood::of(address), who, rate, now) {
            let allowance = Allowance::with_rate(Policy::Address, rate, &verdict, now);
            allowances.push(held(gate, client, allowance, verdict)?);
        }
    }
    if !rate.is_off() {
        let verdict = gate.limits.clients.admit(&client.client.id, rate, now);
        let verdict = verdict.ok_or_else(|| {
            Code::TemporarilyUnavailable.because("more clients with limits are under way than can be counted")
        })?;
        let allowance = Allowance::with_rate(Policy::Tokens, rate, &verdict, now);
        allowances.push(held(gate, client, allowance, verdict)?);
    }
    Ok(allowances)
}

fn held(
    gate: &Gate,
    client: &ClientRecord,
    allowance: Allowance,
    verdict: Verdict,
) -> Result<Allowance, Refusal> {
    if let Verdict::Admitted { .. } = verdict {
        return Ok(allowance);
    }
    // A token that it may have again takes nothing of a quota.
    let may_have_again = client.limits.replay_window.is_some();
    let quotas = if may_have_again { Vec::new() } else { quotas_standing(gate, client, allowance.asked) };
    Err(used_up(gate, "the client is known", allowance.or_longer(&quotas)))
}

/// A request that is refused by a limit; `who` is what was known before.
fn used_up(gate: &Gate, who: &'static str, allowance: Allowance) -> Refusal {
    gate.metrics.limited(allowance.policy);
    Code::SlowDown.because(who).over(allowance)
}

/// The refusal of somebody who did not prove to be any of `ids`: another one if that happens too often.
pub(crate) fn failed(
    gate: &Gate,
    refusal: Refusal,
    ids: &[&str],
    address: Option<IpAddr>,
    now: Timestamp,
) -> Refusal {
    if refusal.code != Code::InvalidClient {
        return refusal;
    }
    match gate.limits.failures.count(&gate.config.limits, ids, Neighborhood::of(address), now) {
        Some(used_up) => {
            gate.metrics.limited(used_up.policy);
            refusal.over(used_up)
        }
        None => refusal,
    }
}

/// The token that the client has for what it is granted now, if it may have it again.
pub(crate) fn again(gate: &Gate, grant: &Grant, ring: &Arc<KeyRing>, now: Timestamp) -> Option<IssuedToken> {
    gate.limits.kept.again(grant, ring, &gate.revocations, now)
}

/// Keeps a token that was issued just now, if its client may have it again.
pub(crate) fn keep(gate: &Gate, grant: &Grant, ring: &Arc<KeyRing>, issued: &IssuedToken, at: Timestamp) {
    gate.limits.kept.keep(grant, ring, issued, at);
}

/// Tells the log of clients that take too many tokens, as these counts show.
pub(crate) async fn look_for_hoarders(gate: &Gate, counts: &[ClientUsage]) {
    let now = gate.clock.now();
    gate.limits.hoarders.look(&gate.clients, gate.config.limits.hoarding, counts, now).await;
}
