//! This file is where the settings of clients stand: their secrets, their assertions, how many are kept at hand.

use std::net::IpAddr;

use gatepost_core::clients::jwks_uri::Allowed;
use ipnet::IpNet;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

const AUDIENCES: [(&str, AssertionAudiences); 2] = [
    ("issuer", AssertionAudiences::Issuer),
    ("issuer+token_endpoint", AssertionAudiences::IssuerOrTokenEndpoint),
];

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "clients.max_secrets",
        Kind::Whole(1, 100),
        "5",
        "The most live secrets a client may have at a time.",
    ),
    Setting::new(
        "clients.cache_size",
        Kind::Whole(1, 100_000_000),
        "1000000",
        "How many clients are kept in memory, so that their tokens need no database. \
         In a store of more than 10,000 each takes some 140 bytes, in a smaller one a kilobyte.",
    ),
    Setting::new(
        "clients.assertion_audiences",
        Kind::Choice(&["issuer", "issuer+token_endpoint"]),
        "issuer",
        "What the `aud` of a client assertion (private_key_jwt) may be, and nothing beside it. \
         The address of the token endpoint is for libraries that know no better.",
    ),
    Setting::new(
        "clients.jwks_uri_allow",
        Kind::Hosts,
        "",
        "Hosts and networks that a client's `jwks_uri` may lead to although they are not public. \
         A name allows whatever it resolves to, a network whatever name leads there.",
    )
    .noted("public addresses only"),
    Setting::new(
        "clients.jwks_uri_ca",
        Kind::Path,
        "",
        "The PEM file of the certificate authorities that `clients.jwks_uri_allow` hosts are believed by.",
    )
    .noted("the public ones"),
];

/// What the audience of a client assertion may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAudiences {
    /// The issuer alone.
    Issuer,
    /// The issuer, or else the address of the token endpoint.
    IssuerOrTokenEndpoint,
}

/// How clients are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// The most live secrets of a client.
    pub max_secrets: usize,
    /// How many clients are kept in memory.
    pub cache_size: usize,
    /// What the audience of a client assertion may be.
    pub assertion_audiences: AssertionAudiences,
    /// What key sets may be fetched from beside the public internet.
    pub jwks_uri_allow: Allowed,
    /// The certificate authorities of those, as PEM; the public ones when there are none.
    pub jwks_uri_ca: Option<String>,
}

impl Clients {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            max_secrets: values.count("clients.max_secrets")?,
            cache_size: values.count("clients.cache_size")?,
            assertion_audiences: values.choice("clients.assertion_audiences", &AUDIENCES)?,
            jwks_uri_allow: allowed(values)?,
            jwks_uri_ca: authorities(values)?,
        })
    }
}

fn allowed(values: &Values) -> Result<Allowed, ConfigError> {
    const KEY: &str = "clients.jwks_uri_allow";
    let mut allowed = Allowed::default();
    for part in values.parts(KEY) {
        let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
        match network {
            Ok(network) => allowed.networks.push(network.trunc()),
            Err(_) if is_host(&part) => allowed.hosts.push(part.to_ascii_lowercase()),
            Err(_) => {
                let fix = "write keys.partner.internal, 10.1.0.0/16 or fd00::/8; no scheme, port or path";
                return Err(values.bad(KEY, "it takes host names, addresses and networks", fix));
            }
        }
    }
    Ok(allowed)
}

/// A last label of digits would be an address that was mistyped.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(is_label) && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn authorities(values: &Values) -> Result<Option<String>, ConfigError> {
    const KEY: &str = "clients.jwks_uri_ca";
    let Some(path) = values.path(KEY) else {
        return Ok(None);
    };
    let fix =
        "give a PEM file with the certificates of the authorities, readable for the user that runs gatepost";
    let pem = std::fs::read_to_string(path).map_err(|error| values.bad(KEY, &error.to_string(), fix))?;
    if pem.contains("-----BEGIN CERTIFICATE-----") {
        Ok(Some(pem))
    } else {
        Err(values.bad(KEY, "the file holds no certificate", fix))
    }
}
