//! This file is where an instant is kept in whole microseconds and read exactly from a JSON number.

use std::fmt;
use std::time::Duration;

use crate::error::Rejection;

const PER_SECOND: i64 = 1_000_000;
const DECIMALS: i64 = 6;
/// More digits than any number in range has; it bounds the work.
const MAX_DIGITS: usize = 40;

/// Microseconds since the epoch.
///
/// A floating point number can't hold the dates of the passport profile exactly, so they are read from their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// From whole seconds, if they fit.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(PER_SECOND).map(Self)
    }

    /// The whole seconds, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(PER_SECOND)
    }

    /// True if there is no fraction of a second.
    #[must_use]
    pub fn is_whole_second(self) -> bool {
        self.0.rem_euclid(PER_SECOND) == 0
    }

    /// Reads a JSON number of seconds; `1e10` and `1.5` are numbers, more than six decimals or a value that does
    /// not fit are refused, as is anything that is no number.
    pub fn from_json(number: &str) -> Result<Self, Rejection> {
        read(number).map(Self).ok_or(Rejection::Date)
    }

    /// This instant and `span` more, at most the last instant there is.
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// `span` before this instant, at least the first instant there is.
    #[must_use]
    pub fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// As seconds with as many decimals as needed.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        if fraction == 0 {
            return write!(f, "{sign}{seconds}");
        }
        let decimals = format!("{fraction:06}");
        write!(f, "{sign}{seconds}.{}", decimals.trim_end_matches('0'))
    }
}

fn read(number: &str) -> Option<i64> {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || (mantissa.contains('.') && fraction.is_empty()) {
        return None;
    }
    let digits: i64 = digits(whole, fraction)?;
    let decimals = i64::try_from(fraction.len()).ok()?;
    let micros = scale(digits, DECIMALS.checked_add(exponent)?.checked_sub(decimals)?)?;
    Some(if negative { micros.checked_neg()? } else { micros })
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn digits(whole: &str, fraction: &str) -> Option<i64> {
    if whole.len().checked_add(fraction.len())? > MAX_DIGITS {
        return None;
    }
    let mut value = 0_i64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = char::from(byte).to_digit(10)?;
        value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    Some(value)
}

/// `digits` times ten to the `power`, if that is a whole number in range.
fn scale(digits: i64, power: i64) -> Option<i64> {
    if digits == 0 {
        return Some(0);
    }
    let factor = 10_i64.checked_pow(u32::try_from(power.unsigned_abs()).ok()?)?;
    if power >= 0 {
        return digits.checked_mul(factor);
    }
    (digits.checked_rem(factor)? == 0).then(|| digits.checked_div(factor)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_microsecond() {
        for (text, micros) in [
            ("0", 0),
            ("-0", 0),
            ("1710220031.583112", 1_710_220_031_583_112),
            ("1710220031", 1_710_220_031_000_000),
            ("1e10", 10_000_000_000_000_000),
            ("1E+3", 1_000_000_000),
            ("12.5e1", 125_000_000),
            ("15e-1", 1_500_000),
            ("1.50000000", 1_500_000),
            ("-1.5", -1_500_000),
            ("0.000001", 1),
            ("9223372036854.775807", i64::MAX),
        ] {
            assert_eq!(Micros::from_json(text), Ok(Micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_kept_exactly_is_refused() {
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e-7",
            "0.0000001",
            "1710220031.5831121",
            "9223372036854.775808",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "18446744073709551616",
            "9007199254740993",
            "1e400",
            "1e99999",
            "NaN",
            "Infinity",
            "null",
            "true",
            "\"1\"",
            "[]",
            "{}",
            "1 ",
            "0x10",
            "１",
            "1e1.5",
            "--1",
            "1e--1",
        ] {
            assert_eq!(Micros::from_json(text), Err(Rejection::Date), "{text}");
        }
    }

    #[test]
    fn an_instant_is_written_as_seconds() {
        for (micros, text) in [(0, "0"), (1_500_000, "1.5"), (-1, "-0.000001"), (7_000_000, "7")] {
            assert_eq!(Micros(micros).to_string(), text);
        }
    }
}
