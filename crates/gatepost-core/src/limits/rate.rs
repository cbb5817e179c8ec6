//! This file is where a rate is: so many in so much time, as people write it: `100/min`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many in so much time; `0` stands for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    count: u32,
    window: Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Second,
    Minute,
    Hour,
}

const UNITS: [(&str, Window); 7] = [
    ("s", Window::Second),
    ("sec", Window::Second),
    ("min", Window::Minute),
    ("m", Window::Minute),
    ("minute", Window::Minute),
    ("h", Window::Hour),
    ("hour", Window::Hour),
];

/// A text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a whole number up to 1000000 and a span: 100/min, 5/s, 2000/h; 0 is no limit")]
pub struct BadRate;

impl Rate {
    /// No limit.
    pub const OFF: Self = Self { count: 0, window: Window::Minute };

    /// The most that a rate may allow: more often than once a microsecond can't be told apart.
    const MOST: u32 = 1_000_000;

    /// Reads `100/min`, `5/s`, `2000/h`, or `0` for no limit.
    pub fn parse(text: &str) -> Result<Self, BadRate> {
        let (count, unit) = match text.trim().split_once('/') {
            Some((count, unit)) => (count, unit),
            None if text.trim() == "0" => return Ok(Self::OFF),
            None => return Err(BadRate),
        };
        let window = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, window)| *window);
        let window = window.ok_or(BadRate)?;
        let digits = count.trim();
        let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.parse().ok().filter(|count| only_digits && *count <= Self::MOST);
        Ok(Self { count: count.ok_or(BadRate)?, window })
    }

    /// Whether it limits nothing.
    pub const fn is_off(self) -> bool {
        self.count == 0
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In how much time.
    pub const fn window(self) -> Duration {
        match self.window {
            Window::Second => Duration::from_secs(1),
            Window::Minute => Duration::from_secs(60),
            Window::Hour => Duration::from_secs(3_600),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.window {
            Window::Second => "s",
            Window::Minute => "min",
            Window::Hour => "h",
        };
        if self.is_off() { f.write_str("0") } else { write!(f, "{}/{unit}", self.count) }
    }
}

impl TryFrom<String> for Rate {
    type Error = BadRate;

    fn try_from(text: String) -> Result<Self, BadRate> {
        Self::parse(&text)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_people_write_it_and_written_one_way() {
        for (text, written) in [
            ("100/min", "100/min"),
            ("100/m", "100/min"),
            (" 7 / minute ", "7/min"),
            ("5/s", "5/s"),
            ("5/sec", "5/s"),
            ("2000/h", "2000/h"),
            ("1000000/hour", "1000000/h"),
            ("0", "0"),
            ("0/min", "0"),
        ] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), written, "{text}");
        }
        for text in
            ["", "100", "/min", "100/", "100/day", "-1/min", "+1/min", "1.5/min", "1000001/s", "1/min/s"]
        {
            assert_eq!(Rate::parse(text), Err(BadRate), "{text}");
        }
    }

    #[test]
    fn a_rate_is_kept_as_its_text() {
        let rate = Rate::parse("5/s").unwrap();
        assert_eq!(serde_json::to_string(&rate).unwrap(), r#""5/s""#);
        assert_eq!(serde_json::from_str::<Rate>(r#""5/s""#).unwrap(), rate);
        assert!(serde_json::from_str::<Rate>(r#""often""#).is_err());
    }
}
