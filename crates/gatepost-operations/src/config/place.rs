//! This file is where the settings at the top of the file stand: who this server says it is, and where its state lives.

use std::net::SocketAddr;
use std::path::PathBuf;

use gatepost_core::issuer::Issuer;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "issuer",
        Kind::Url,
        "",
        "The public address of this server, as tokens and metadata name it. \
         It has no slash at its end, no query and no fragment, and is https unless it is on loopback.",
    )
    .noted("the public address while that is on loopback; must be set otherwise"),
    Setting::new(
        "data",
        Kind::Path,
        "./gatepost-data",
        "The folder of the state: `gatepost.db` and `master.key`.",
    ),
];

/// Who this server says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerSetting {
    /// The address that was configured.
    Given(Issuer),
    /// The public address, known once its port is bound.
    PublicAddress {
        /// Whether that address speaks TLS.
        tls: bool,
    },
}

impl IssuerSetting {
    pub(super) fn read(values: &Values, tls: bool) -> Result<Self, ConfigError> {
        let Some(text) = values.optional("issuer") else {
            return Ok(Self::PublicAddress { tls });
        };
        let bad = |source: gatepost_core::issuer::BadIssuer| {
            values.bad("issuer", &source.to_string(), "write it like https://auth.example.com")
        };
        Issuer::parse(&text).map(Self::Given).map_err(bad)
    }

    /// The issuer of a server whose public port is bound to that address.
    pub fn at(&self, bound: SocketAddr) -> Result<Issuer, gatepost_core::issuer::BadIssuer> {
        match self {
            Self::Given(issuer) => Ok(issuer.clone()),
            Self::PublicAddress { tls: true } => Issuer::parse(&format!("https://{bound}")),
            Self::PublicAddress { tls: false } => Issuer::parse(&format!("http://{bound}")),
        }
    }
}

pub(super) fn data(values: &Values) -> Result<PathBuf, ConfigError> {
    values
        .path("data")
        .ok_or_else(|| values.bad("data", "the state needs a folder", "give the path of a folder"))
}
