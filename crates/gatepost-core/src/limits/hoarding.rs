//! This file is where it is decided when a client takes far more tokens than it needs.

use std::fmt;

use serde::Serialize;

use crate::time::{Lifetime, Timestamp};
use crate::usage::Hour;

/// A client that takes many tokens each of which is valid long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hoarding {
    /// The tokens that it got in an hour.
    pub tokens: u64,
    /// How long each is valid, in seconds.
    pub lifetime: u32,
    /// How many would do for that hour.
    pub enough: u64,
}

impl Hoarding {
    /// Looks at the tokens of an hour: more than `tolerance` times as many as would do is hoarding, and 0 tolerates all.
    pub fn seen(tokens: u64, lifetime: Lifetime, tolerance: u64) -> Option<Self> {
        let enough = 3_600_u64.div_ceil(lifetime.seconds().max(1).into());
        let hoards = tolerance > 0 && tokens > enough.saturating_mul(tolerance);
        hoards.then_some(Self { tokens, lifetime: lifetime.seconds(), enough })
    }
}

impl fmt::Display for Hoarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens in the last hour, each valid {} s: ", self.tokens, self.lifetime)?;
        if self.enough == 1 { f.write_str("one would do") } else { write!(f, "{} would do", self.enough) }
    }
}

/// The tokens of the last hour, where so many were taken in the present hour of the clock and in the one before: of that
/// one as many count as is less than an hour ago, as if they had been taken evenly.
pub fn tokens_of_last_hour(present: u64, before: u64, now: Timestamp) -> u64 {
    let gone = now.since(Hour::of(now).begins()).as_secs();
    let share = u128::from(before).saturating_mul(3_600_u64.saturating_sub(gone).into()) / 3_600;
    present.saturating_add(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_hour_before_as_much_counts_as_is_less_than_an_hour_ago() {
        let counted = |present, before, seconds: i64| {
            let now = Timestamp::from_micros((3_600_000 + seconds) * 1_000_000);
            tokens_of_last_hour(present, before, now)
        };
        assert_eq!((counted(0, 100, 0), counted(7, 100, 1_800), counted(7, 100, 3_599)), (100, 57, 7));
        assert_eq!(counted(1, u64::MAX, 0), u64::MAX);
    }

    fn seen(tokens: u64, lifetime: u32, tolerance: u64) -> Option<String> {
        let lifetime = Lifetime::from_seconds(lifetime).unwrap();
        Hoarding::seen(tokens, lifetime, tolerance).map(|seen| seen.to_string())
    }

    #[test]
    fn many_tokens_that_live_long_are_told() {
        let told = "612 tokens in the last hour, each valid 3600 s: one would do";
        assert_eq!(seen(612, 3_600, 100).as_deref(), Some(told));
        assert_eq!(seen(101, 86_400, 100).map(|text| text.contains("one would do")), Some(true));
        assert_eq!(seen(601, 600, 100).map(|text| text.contains(": 6 would do")), Some(true));
    }

    #[test]
    fn up_to_the_tolerance_nothing_is_said() {
        assert_eq!(seen(100, 3_600, 100), None);
        assert_eq!(seen(600, 600, 100), None);
        assert_eq!(seen(u64::MAX, 3_600, 0), None);
    }
}
