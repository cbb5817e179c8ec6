//! This file is where the settings of signing keys stand: their size, and how long they are published before they sign.

use std::time::Duration;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

const BITS: [(&str, u32); 3] = [("2048", 2048), ("3072", 3072), ("4096", 4096)];
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const DECADE: Duration = Duration::from_secs(3_652 * 86_400);

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "keys.rsa_bits",
        Kind::Choice(&["2048", "3072", "4096"]),
        "4096",
        "The size of new RSA keys, in bits.",
    ),
    Setting::new(
        "keys.publish_ahead",
        Kind::Duration(Duration::ZERO, MONTH),
        "24h",
        "How long a later key is published before it signs; \
         longer than any reader keeps a key document.",
    ),
    Setting::new(
        "keys.rotate_every",
        Kind::Duration(Duration::ZERO, DECADE),
        "90d",
        "How long a key signs before the next one takes over by itself; 0 turns that off. \
         Where tokens name no key, the next key is only published: `gatepost key promote` lets it sign.",
    ),
];

/// How signing keys are made and take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The size of new RSA keys, in bits.
    pub rsa_bits: u32,
    /// How long a later key is published before it signs.
    pub publish_ahead: Duration,
    /// How long a key signs before the next one takes over; never when zero.
    pub rotate_every: Duration,
}

impl Keys {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            rsa_bits: values.choice("keys.rsa_bits", &BITS)?,
            publish_ahead: values.duration("keys.publish_ahead")?,
            rotate_every: values.duration("keys.rotate_every")?,
        })
    }
}
