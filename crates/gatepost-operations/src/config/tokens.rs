//! This file is where the settings of tokens stand: how long they live, and how far clocks may differ.

use std::time::Duration;

use super::error::{ConfigError, Problem};
use super::setting::{Kind, Setting};
use super::values::Values;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "tokens.lifetime",
        Kind::Duration(SECOND, YEAR),
        "1h",
        "How long a token lives when its client says nothing else.",
    ),
    Setting::new(
        "tokens.max_lifetime",
        Kind::Duration(SECOND, YEAR),
        "24h",
        "The longest lifetime a client may be given.",
    ),
    Setting::new(
        "tokens.leeway",
        Kind::Duration(Duration::ZERO, HOUR),
        "60s",
        "How far clocks may differ before a date of a token counts as wrong, also of our own tokens where they are introspected.",
    ),
];

/// How long tokens live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The lifetime when the client says nothing else.
    pub lifetime: Duration,
    /// The longest lifetime a client may be given.
    pub max_lifetime: Duration,
    /// How far clocks may differ.
    pub leeway: Duration,
}

impl Tokens {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let tokens = Self {
            lifetime: values.duration("tokens.lifetime")?,
            max_lifetime: values.duration("tokens.max_lifetime")?,
            leeway: values.duration("tokens.leeway")?,
        };
        if tokens.lifetime > tokens.max_lifetime {
            return Err(ConfigError::new(
                Problem::Conflict,
                values.described("tokens.lifetime"),
                format!("that is more than {}", values.described("tokens.max_lifetime")),
                "shorten the lifetime or raise the maximum",
            ));
        }
        Ok(tokens)
    }
}
