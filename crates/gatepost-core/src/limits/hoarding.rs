//! This file is where it is decided when a client takes far more tokens than it needs.

use std::fmt;

use serde::Serialize;

use crate::time::Lifetime;

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

#[cfg(test)]
mod tests {
    use super::*;

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
