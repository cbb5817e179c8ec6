//! This file is where it is said how much of a limit a caller has left, for the headers of its answer.

use std::time::Duration;

use super::{Rate, Verdict, bucket};
use crate::time::Timestamp;

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// How often a client may ask for a token.
    Tokens,
    /// How often an address may ask for a token.
    Address,
    /// How many tokens a client gets in a day.
    Day,
    /// How many tokens a client gets in a month.
    Month,
    /// How often somebody may fail to be a client from an address.
    FailedClient,
    /// How often an address may fail to be anybody.
    FailedAddress,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Tokens, Self::Address, Self::Day, Self::Month, Self::FailedClient, Self::FailedAddress];

    /// The name that headers and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Address => "address",
            Self::Day => "day",
            Self::Month => "month",
            Self::FailedClient => "failed-client",
            Self::FailedAddress => "failed-address",
        }
    }
}

/// How much of a limit a caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Which limit.
    pub policy: Policy,
    /// How many it allows in its window.
    pub limit: u64,
    /// The window, in seconds.
    pub window: u64,
    /// How many are left.
    pub remaining: u64,
    /// When all are there again; if none is left, when the next is. In whole seconds, rounded up, at least one.
    pub reset: u64,
    /// When that was so.
    pub asked: Timestamp,
}

impl Allowance {
    /// What is left of a rate after its verdict.
    pub fn with_rate(policy: Policy, rate: Rate, verdict: &Verdict, now: Timestamp) -> Self {
        let (remaining, wait) = match verdict {
            Verdict::Admitted { remaining: 0, whole_in, .. } => (0, bucket::next_in(rate, *whole_in)),
            Verdict::Admitted { remaining, whole_in, .. } => (*remaining, *whole_in),
            Verdict::Refused { retry_in, .. } => (0, *retry_in),
        };
        Self {
            policy,
            limit: rate.count().into(),
            window: rate.window().as_secs(),
            remaining: remaining.into(),
            reset: seconds_up(wait),
            asked: now,
        }
    }

    /// Of this limit, which is used up, and those of the others that are too, the one that holds longest: before that
    /// nothing is served.
    #[must_use]
    pub fn or_longer(self, others: &[Self]) -> Self {
        let used_up_too = others.iter().filter(|other| other.remaining == 0);
        used_up_too.fold(self, |longest, other| if other.reset > longest.reset { *other } else { longest })
    }
}

/// Whole seconds, rounded up, at least one: who waits so long is not too early.
pub(super) fn seconds_up(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(begun).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_so_that_nobody_comes_too_early() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (6_000, 6)] {
            assert_eq!(seconds_up(Duration::from_millis(millis)), seconds, "{millis}");
        }
    }
}
