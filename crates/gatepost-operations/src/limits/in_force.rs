//! This file is where it is told which limits hold for a client, and where each comes from.

use gatepost_core::limits::{ClientLimits, Issued, Policy, Rate};
use serde::Serialize;

use crate::config;

/// A limit as it holds for a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// Its name, as headers and metrics use it; `replay_window` has none there.
    pub limit: &'static str,
    /// How much it allows; `None` when nothing is limited.
    pub value: Option<Amount>,
    /// Where that comes from.
    pub from: Origin,
    /// The setting, if it comes from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<&'static str>,
    /// How much of it is used, as far as that is written down; of quotas only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// How much a limit allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Amount {
    /// A rate, such as `100/min`.
    Rate(String),
    /// So many tokens, or seconds.
    Number(u64),
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was set for the client.
    Own,
    /// A setting holds for all.
    Setting,
    /// There is none.
    None,
}

/// All limits that there are, as they hold for a client with these of its own.
pub(super) fn in_force(own: &ClientLimits, settings: &config::Limits, used: Issued) -> Vec<InForce> {
    let tokens = match own.tokens {
        Some(rate) => InForce { value: amount(rate), from: Origin::Own, ..none(Policy::Tokens.as_str()) },
        None => of_setting(Policy::Tokens, "limits.tokens_per_client", settings.tokens_per_client),
    };
    vec![
        tokens,
        of_setting(Policy::Address, "limits.tokens_per_address", settings.tokens_per_address),
        InForce { used: Some(used.on_day), ..of_client(Policy::Day.as_str(), own.per_day) },
        InForce { used: Some(used.in_month), ..of_client(Policy::Month.as_str(), own.per_month) },
        of_client("replay_window", own.replay_window.map(u64::from)),
    ]
}

fn of_setting(policy: Policy, name: &'static str, rate: Rate) -> InForce {
    let value = amount(rate);
    if value.is_none() {
        return none(policy.as_str());
    }
    InForce { value, from: Origin::Setting, setting: Some(name), ..none(policy.as_str()) }
}

fn of_client(limit: &'static str, own: Option<u64>) -> InForce {
    let from = if own.is_some() { Origin::Own } else { Origin::None };
    InForce { value: own.map(Amount::Number), from, ..none(limit) }
}

fn amount(rate: Rate) -> Option<Amount> {
    (!rate.is_off()).then(|| Amount::Rate(rate.to_string()))
}

const fn none(limit: &'static str) -> InForce {
    InForce { limit, value: None, from: Origin::None, setting: None, used: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    /// What is in force: value, origin and setting of each limit.
    fn told(own: &ClientLimits, tokens_per_client: &str, tokens_per_address: &str) -> Vec<String> {
        let settings = config::Limits {
            tokens_per_client: rate(tokens_per_client),
            tokens_per_address: rate(tokens_per_address),
            failed_per_client: Rate::OFF,
            failed_per_address: Rate::OFF,
            hoarding: 0,
        };
        let all = in_force(own, &settings, Issued { on_day: 3, in_month: 40 });
        all.iter().map(|limit| serde_json::to_string(limit).unwrap()).collect()
    }

    #[test]
    fn a_client_without_limits_is_held_to_the_settings() {
        assert_eq!(
            told(&ClientLimits::default(), "100/min", "0"),
            [
                r#"{"limit":"tokens","value":"100/min","from":"setting","setting":"limits.tokens_per_client"}"#,
                r#"{"limit":"address","value":null,"from":"none"}"#,
                r#"{"limit":"day","value":null,"from":"none","used":3}"#,
                r#"{"limit":"month","value":null,"from":"none","used":40}"#,
                r#"{"limit":"replay_window","value":null,"from":"none"}"#,
            ]
        );
    }

    #[test]
    fn a_limit_of_its_own_goes_before_the_setting_and_0_is_none_of_its_own() {
        let own = |tokens| ClientLimits {
            tokens: Some(rate(tokens)),
            per_day: Some(10),
            per_month: Some(200),
            replay_window: Some(300),
        };
        assert_eq!(
            told(&own("5/s"), "100/min", "60/min"),
            [
                r#"{"limit":"tokens","value":"5/s","from":"own"}"#,
                r#"{"limit":"address","value":"60/min","from":"setting","setting":"limits.tokens_per_address"}"#,
                r#"{"limit":"day","value":10,"from":"own","used":3}"#,
                r#"{"limit":"month","value":200,"from":"own","used":40}"#,
                r#"{"limit":"replay_window","value":300,"from":"own"}"#,
            ]
        );
        assert_eq!(told(&own("0"), "100/min", "0")[0], r#"{"limit":"tokens","value":null,"from":"own"}"#);
    }
}
