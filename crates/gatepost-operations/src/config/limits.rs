//! This file is where the settings of limits stand: how often clients and addresses may ask, and how often they may fail.

use gatepost_core::limits::Rate;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "limits.tokens_per_client",
        Kind::Rate,
        "0",
        "How often a client may ask for a token, unless `gatepost limit set` says otherwise for it. \
         0 is no limit. Each node counts for itself. \
         Answers tell the client how it stands, in `RateLimit` and at the origin door also in `X-RateLimit-…` headers.",
    ),
    Setting::new(
        "limits.tokens_per_address",
        Kind::Rate,
        "0",
        "How often clients behind one address may ask for a token, all together. \
         0 is no limit. An IPv6 address counts with its network of 64 bits. Answers tell how the address stands. \
         A partner has 4,096 places for addresses at work, in 64 parts that fill by chance; \
         at an address that finds none each of its clients is counted by itself.",
    ),
    Setting::new(
        "limits.failed_per_client",
        Kind::Rate,
        "10/min",
        "How often authentication may fail with one client id from one address before the answer is 429 instead of 401. \
         0 is no limit. Right credentials always pass.",
    ),
    Setting::new(
        "limits.failed_per_address",
        Kind::Rate,
        "1000/min",
        "How often authentication may fail from one address, with whatever ids, before the answer is 429 instead of 401. \
         0 is no limit. Right credentials always pass.",
    ),
    Setting::new(
        "limits.hoarding",
        Kind::Whole(0, 1_000_000),
        "100",
        "A client that takes in an hour more than this many times the tokens that would do is told of, \
         in `gatepost usage show` and in the log. 0 tells of nobody.",
    ),
];

/// How often clients and addresses may ask and fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How often a client may ask for a token.
    pub tokens_per_client: Rate,
    /// How often clients behind one address may ask for a token.
    pub tokens_per_address: Rate,
    /// How often authentication may fail with one id from one address.
    pub failed_per_client: Rate,
    /// How often authentication may fail from one address.
    pub failed_per_address: Rate,
    /// How many times the tokens that would do a client may take in an hour before it is told.
    pub hoarding: u64,
}

impl Limits {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            tokens_per_client: values.rate("limits.tokens_per_client")?,
            tokens_per_address: values.rate("limits.tokens_per_address")?,
            failed_per_client: values.rate("limits.failed_per_client")?,
            failed_per_address: values.rate("limits.failed_per_address")?,
            hoarding: values.whole("limits.hoarding")?,
        })
    }
}
