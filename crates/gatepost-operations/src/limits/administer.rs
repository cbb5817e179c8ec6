//! This file is where the limits of a client are shown, set and cleared.

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::clients::ClientRecord;
use gatepost_core::limits::{ClientLimits, Day, Issued, LARGEST_QUOTA, LONGEST_WINDOW, Month, Rate};
use serde::{Deserialize, Serialize};

use super::in_force::{InForce, in_force};
use crate::clients::found::{basis, find};
use crate::decision::Decision;
use crate::failure::Failure;
use crate::gate::Gate;

/// What a client is to be held to; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// How often it may ask for a token, such as `100/min`; `0` for no limit whatever the settings say.
    #[serde(default)]
    pub tokens: Option<String>,
    /// How many tokens it gets in a day.
    #[serde(default)]
    pub per_day: Option<u64>,
    /// How many tokens it gets in a month.
    #[serde(default)]
    pub per_month: Option<u64>,
    /// For how many seconds it gets the token it has, when it asks again.
    #[serde(default)]
    pub replay_window: Option<u32>,
}

/// Which limits of a client are taken away; all of them when none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearLimits {
    /// How often it may ask.
    #[serde(default)]
    pub tokens: bool,
    /// The quota of the day.
    #[serde(default)]
    pub per_day: bool,
    /// The quota of the month.
    #[serde(default)]
    pub per_month: bool,
    /// The window in which it gets the token it has.
    #[serde(default)]
    pub replay_window: bool,
}

/// What a client is held to, and how much of it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitsView {
    /// The client.
    pub client_id: String,
    /// How often it may ask for a token; the setting `limits.tokens_per_client` counts when there is none.
    pub tokens: Option<String>,
    /// How many tokens it gets in a day (UTC).
    pub per_day: Option<u64>,
    /// How many tokens it gets in a month (UTC).
    pub per_month: Option<u64>,
    /// For how many seconds it gets the token it has, when it asks again.
    pub replay_window: Option<u32>,
    /// The tokens that it got today, as far as they are written down.
    pub used_today: u64,
    /// The tokens that it got this month.
    pub used_this_month: u64,
    /// What all that comes to, with the settings of this process: each limit, and where it comes from.
    pub in_force: Vec<InForce>,
}

/// The limits of a client.
pub async fn show(gate: &Gate, client: &str) -> Result<LimitsView, Failure> {
    let found = find(gate, client).await?;
    let now = gate.clock.now();
    let clients = [found.client.id.clone()];
    let used = gate.store.issued(&clients, Day::of(now), Month::of(now)).await?;
    let used = used.first().map_or(Issued::default(), |(_, used)| *used);
    let in_force = in_force(&found.limits, &gate.config.limits, used);
    let ClientLimits { tokens, per_day, per_month, replay_window } = found.limits;
    Ok(LimitsView {
        client_id: found.client.id.to_string(),
        tokens: tokens.map(|rate| rate.to_string()),
        per_day,
        per_month,
        replay_window,
        used_today: used.on_day,
        used_this_month: used.in_month,
        in_force,
    })
}

/// Sets what is given.
pub async fn set(gate: &Gate, actor: &Actor, client: &str, new: SetLimits) -> Result<LimitsView, Failure> {
    let new = parsed(&new)?;
    let change = |old: ClientLimits| ClientLimits {
        tokens: new.tokens.or(old.tokens),
        per_day: new.per_day.or(old.per_day),
        per_month: new.per_month.or(old.per_month),
        replay_window: new.replay_window.or(old.replay_window),
    };
    gate.settle(actor, || changed(gate, client, &change)).await?;
    show(gate, client).await
}

/// Takes limits away.
pub async fn clear(
    gate: &Gate,
    actor: &Actor,
    client: &str,
    which: ClearLimits,
) -> Result<LimitsView, Failure> {
    let all = which == ClearLimits::default();
    let change = |old: ClientLimits| ClientLimits {
        tokens: old.tokens.filter(|_| !all && !which.tokens),
        per_day: old.per_day.filter(|_| !all && !which.per_day),
        per_month: old.per_month.filter(|_| !all && !which.per_month),
        replay_window: old.replay_window.filter(|_| !all && !which.replay_window),
    };
    gate.settle(actor, || changed(gate, client, &change)).await?;
    show(gate, client).await
}

async fn changed(
    gate: &Gate,
    client: &str,
    change: &impl Fn(ClientLimits) -> ClientLimits,
) -> Result<Decision<()>, Failure> {
    let found: ClientRecord = find(gate, client).await?;
    let basis = basis(&found);
    let limits = change(found.limits);
    let changes = vec![Change::ClientLimited { client: found.client.id, limits }];
    Ok(Decision { basis: Some(basis), changes, outcome: () })
}

fn parsed(new: &SetLimits) -> Result<ClientLimits, Failure> {
    let tokens = new.tokens.as_deref().map(Rate::parse).transpose();
    let tokens = tokens.map_err(|bad| {
        let what = format!("`{}` is no rate", new.tokens.as_deref().unwrap_or_default().escape_debug());
        Failure::invalid("limit.rate", what, bad.to_string())
            .because("a rate is a whole number of requests in a second, a minute or an hour")
    })?;
    if new.per_day == Some(0) || new.per_month == Some(0) {
        let fix = "take the quota away with `gatepost limit clear`, or stop the client with `gatepost client suspend`";
        return Err(Failure::invalid("limit.quota", "a quota of 0 tokens serves nobody", fix));
    }
    if new.per_day.max(new.per_month) > Some(LARGEST_QUOTA) {
        let fix = format!("set at most {LARGEST_QUOTA}, or no quota");
        let what = "no header can tell a quota of so many tokens";
        let why = "the numbers of these headers have fifteen digits at most (RFC 9651)";
        return Err(Failure::invalid("limit.quota", what, fix).because(why));
    }
    if new.replay_window.is_some_and(|window| !(1..=LONGEST_WINDOW).contains(&window)) {
        let what = "the window in which a client gets the token it has is from 1 second to 1 hour";
        return Err(Failure::invalid("limit.replay_window", what, "give for example 5m"));
    }
    let (per_day, per_month, replay_window) = (new.per_day, new.per_month, new.replay_window);
    Ok(ClientLimits { tokens, per_day, per_month, replay_window })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_at_least_one_token_and_at_most_what_a_header_can_tell() {
        let of = |per_day| parsed(&SetLimits { per_day: Some(per_day), ..SetLimits::default() }).is_ok();
        assert_eq!([0, 1, LARGEST_QUOTA, LARGEST_QUOTA + 1].map(of), [false, true, true, false]);
    }
}
