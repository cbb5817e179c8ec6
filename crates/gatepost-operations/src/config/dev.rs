//! This file is where the setting of `gatepost dev` stands: the address of its bookings API.

use std::net::SocketAddr;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[Setting::new(
    "dev.api_listen",
    Kind::Address,
    "127.0.0.1:8462",
    "The address of the bookings API that `gatepost dev` runs; on loopback only.",
)];

/// What `gatepost dev` adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dev {
    /// The address of its bookings API.
    pub api_listen: SocketAddr,
}

impl Dev {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let api_listen = values.address("dev.api_listen")?;
        if !api_listen.ip().is_loopback() {
            let why = "the demonstration is plain HTTP with demo data, for this computer alone";
            return Err(values.bad("dev.api_listen", why, "give an address on 127.0.0.1 or [::1]"));
        }
        Ok(Self { api_listen })
    }
}
