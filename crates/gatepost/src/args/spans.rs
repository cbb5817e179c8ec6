//! This file is where the times that flags take are read: spans like `24h`, and instants.

use std::time::Duration;

use gatepost_operations::config::parse_duration;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::expiry::Expires;

/// A time to come, as people give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// So long from now.
    In(Duration),
    /// At that instant.
    At(Timestamp),
}

impl Until {
    /// The instant that is meant, `now` being now.
    pub(crate) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::In(span) => now.after(span),
            Self::At(instant) => instant,
        }
    }
}

/// When something shall expire, as people give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Not at all.
    Never,
    /// Then.
    Until(Until),
}

impl Expiry {
    /// What is meant, `now` being now.
    pub(crate) fn from(self, now: Timestamp) -> Expires {
        match self {
            Self::Never => Expires::Never,
            Self::Until(until) => Expires::At(until.from(now)),
        }
    }
}

/// Reads a time to come, or `never`.
pub(super) fn expiry(text: &str) -> Result<Expiry, String> {
    if text.eq_ignore_ascii_case("never") { Ok(Expiry::Never) } else { until(text).map(Expiry::Until) }
}

/// Reads `30d`, `24h` or an instant of RFC 3339.
pub(super) fn until(text: &str) -> Result<Until, String> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(Until::At(Timestamp::from_micros(instant.as_microsecond())));
    }
    let span = parse_duration(text).map_err(|why| format!("{why}, or an instant: 2027-01-31T00:00:00Z"))?;
    if span.is_zero() { Err("that is now; give a time to come".to_owned()) } else { Ok(Until::In(span)) }
}

/// Reads a span, which may be none at all.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(str::to_owned)
}

/// Reads how long tokens live, in whole seconds.
pub(super) fn lifetime(text: &str) -> Result<u32, String> {
    let span = parse_duration(text)?;
    if span.subsec_nanos() != 0 || span.is_zero() {
        return Err("tokens live whole seconds, at least one: 90s, 15m, 1h".to_owned());
    }
    u32::try_from(span.as_secs()).map_err(|_| "no token lives that long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_come_is_a_span_or_an_instant() {
        let now = Timestamp::from_micros(1_000_000);

        assert_eq!(until("24h").unwrap().from(now).seconds(), 86_401);
        assert_eq!(until("1970-01-02T00:00:00Z").unwrap().from(now).seconds(), 86_400);
        assert_eq!(until("1970-01-02T01:00:00+01:00").unwrap().from(now).seconds(), 86_400);
        for text in ["", "0", "0s", "tomorrow", "24", "2027-01-31"] {
            assert!(until(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_never_expires_says_never() {
        let now = Timestamp::from_micros(0);
        assert_eq!(expiry("never").map(|at| at.from(now)), Ok(Expires::Never));
        assert_eq!(expiry("1s").map(|at| at.from(now)), Ok(Expires::At(Timestamp::from_micros(1_000_000))));
        assert!(expiry("no").is_err());
    }

    #[test]
    fn tokens_live_whole_seconds() {
        assert_eq!(lifetime("1h"), Ok(3_600));
        assert_eq!(lifetime("1m30s"), Ok(90));
        for text in ["500ms", "0", "1", "forever", "99999999d"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
