//! This file is where the issuer's name is held to RFC 8414 section 2.

use serde::Serialize;
use url::{Host, Url};

/// The issuer: an https address without query and fragment; http only for this computer itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Issuer(String);

/// Why a text can't name the issuer; the text says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadIssuer(&'static str);

impl Issuer {
    /// Accepts an issuer, kept byte for byte: verifiers compare it so.
    pub fn parse(text: &str) -> Result<Self, BadIssuer> {
        let url = Url::parse(text).map_err(|_| BadIssuer("issuer is no address; give https://host"))?;
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return Err(BadIssuer("issuer has no host; give https://host")),
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(BadIssuer("issuer must be https; http is for 127.0.0.1, [::1] and localhost only"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(BadIssuer("issuer holds a query, fragment or user; give scheme, host and path only"));
        }
        if text.ends_with('/') {
            return Err(BadIssuer("issuer ends in a slash; leave it away, verifiers compare byte for byte"));
        }
        if text != url.as_str() && format!("{text}/") != url.as_str() {
            return Err(BadIssuer("issuer is not in its plain form; write scheme and host in lower case"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The issuer as tokens and metadata name it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of `path` (with its leading slash) on this issuer.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_addresses_and_loopback_are_issuers() {
        for good in [
            "https://auth.example.com",
            "https://a.example/tenant",
            "http://127.0.0.1:8460",
            "http://[::1]:1",
        ] {
            assert!(Issuer::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://auth.example.com",
            "https://a.example/",
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
            "https://A.example",
            "ftp://a",
            "a",
            "",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }
}
