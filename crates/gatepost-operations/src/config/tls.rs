//! This file is where the settings of TLS stand: certificate, key and the least version.

use std::path::PathBuf;
use std::time::Duration;

use super::error::{ConfigError, Problem};
use super::setting::{Kind, Setting};
use super::values::Values;

const VERSIONS: [(&str, MinVersion); 2] = [("1.2", MinVersion::Tls12), ("1.3", MinVersion::Tls13)];

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "tls.cert",
        Kind::Path,
        "",
        "The PEM file of the certificate and its chain; read again on SIGHUP.",
    )
    .noted("no TLS"),
    Setting::new(
        "tls.key",
        Kind::Path,
        "",
        "The PEM file of the certificate's private key; read again on SIGHUP.",
    )
    .noted("no TLS"),
    Setting::new("tls.min_version", Kind::Choice(&["1.2", "1.3"]), "1.2", "The oldest TLS version spoken."),
    Setting::new(
        "tls.handshake_timeout",
        Kind::Duration(Duration::from_millis(1), Duration::from_secs(3600)),
        "10s",
        "How long a TLS handshake may take.",
    ),
];

/// How TLS is spoken, where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The PEM files; none means plain HTTP.
    pub files: Option<TlsFiles>,
    /// The oldest version spoken.
    pub min_version: MinVersion,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
}

/// The certificate and its key, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The PEM file of the certificate chain.
    pub cert: PathBuf,
    /// The PEM file of the private key.
    pub key: PathBuf,
}

/// The oldest TLS version spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

impl Tls {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let files = match (values.path("tls.cert"), values.path("tls.key")) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            (Some(_), None) => return Err(half(values, "tls.cert", "tls.key")),
            (None, Some(_)) => return Err(half(values, "tls.key", "tls.cert")),
        };
        Ok(Self {
            files,
            min_version: values.choice("tls.min_version", &VERSIONS)?,
            handshake_timeout: values.duration("tls.handshake_timeout")?,
        })
    }
}

fn half(values: &Values, given: &'static str, missing: &'static str) -> ConfigError {
    ConfigError::new(
        Problem::Missing,
        format!("{} but `{missing}` is not set", values.described(given)),
        "TLS needs both the certificate and its private key",
        format!("set `{missing}` to its PEM file, or unset `{given}`"),
    )
}
