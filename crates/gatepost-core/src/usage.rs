//! This file is where it is said what is counted of clients and secrets: by the hour, never by the token.

use std::net::IpAddr;

use serde::Serialize;

use crate::ids::ClientId;
use crate::secret::stored::SecretId;
use crate::time::Timestamp;

/// An hour, counted from the epoch (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Hour(pub i64);

impl Hour {
    /// The hour in which `instant` is.
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.seconds().div_euclid(3_600))
    }

    /// When it begins.
    pub fn begins(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(3_600_000_000))
    }
}

/// What a client did in an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientUsage {
    /// The client.
    pub client: ClientId,
    /// The hour.
    pub hour: Hour,
    /// Tokens it got.
    pub issued: u64,
    /// Requests of it that were refused after it was known who it is.
    pub refused: u64,
}

/// When and from where a secret last proved its client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretUsage {
    /// The secret.
    pub secret: SecretId,
    /// The last time.
    pub at: Timestamp,
    /// The address it came from, if it was known.
    pub address: Option<IpAddr>,
    /// How often in all.
    pub count: u64,
}
