//! This file is where what somebody gave as a client's settings becomes values, or an error that says how to write it.

use std::sync::Arc;

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::clients::Method;
use gatepost_core::scope::{Scope, Scopes};
use gatepost_core::time::Lifetime;
use ipnet::{IpNet, Ipv4Net};

use super::DefaultScopes;
use crate::apis::found::find;
use crate::failure::Failure;
use crate::gate::Gate;

pub(super) fn named_apis(gate: &Gate, names: &[String]) -> Result<Vec<Arc<ApiWithScopes>>, Failure> {
    let mut found: Vec<Arc<ApiWithScopes>> = Vec::new();
    for name in names {
        let api = find(gate, name)?;
        if found.iter().all(|known| known.api.id != api.api.id) {
            found.push(api);
        }
    }
    Ok(found)
}

pub(super) fn borrowed(apis: &[Arc<ApiWithScopes>]) -> Vec<&ApiWithScopes> {
    apis.iter().map(|api| &**api).collect()
}

pub(super) fn scopes(names: &[String]) -> Result<Scopes, Failure> {
    Ok(names.iter().map(|name| Scope::parse(name)).collect::<Result<_, _>>()?)
}

pub(super) fn default_scopes(wanted: &DefaultScopes) -> Result<Option<Scopes>, Failure> {
    match wanted {
        DefaultScopes::All => Ok(None),
        DefaultScopes::These(names) => scopes(names).map(Some),
    }
}

pub(super) fn lifetime(gate: &Gate, seconds: Option<u32>) -> Result<Lifetime, Failure> {
    let seconds = match seconds {
        Some(seconds) => seconds,
        None => u32::try_from(gate.config.tokens.lifetime.as_secs()).unwrap_or(u32::MAX),
    };
    Lifetime::from_seconds(seconds).ok_or_else(|| {
        Failure::invalid(
            "client.lifetime",
            "a lifetime of 0 seconds makes no token",
            "give 60 seconds or more",
        )
    })
}

pub(super) fn longest(gate: &Gate) -> Lifetime {
    let seconds = u32::try_from(gate.config.tokens.max_lifetime.as_secs()).unwrap_or(u32::MAX);
    Lifetime::from_seconds(seconds).unwrap_or(Lifetime::HOUR)
}

pub(super) fn networks(texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let parse = |text: &String| {
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)));
        network.map(plain).map_err(|_| {
            let what = format!("`{}` is no network", text.escape_debug());
            let fix = "write each alone, like 203.0.113.0/24, 2001:db8::/32 or 203.0.113.9";
            Failure::invalid("client.allow", what, fix)
                .because("it is neither an address nor a network in CIDR form")
        })
    };
    texts.iter().map(parse).collect()
}

pub(super) fn auth_method(name: &str) -> Result<Option<Method>, Failure> {
    if name == "any" {
        return Ok(None);
    }
    Method::parse(name).map(Some).ok_or_else(|| {
        let what = format!("there is no authentication method `{}`", name.escape_debug());
        let known = Method::ALL.map(Method::as_str).join(", ");
        Failure::invalid("client.auth_method", what, format!("take one of {known}, or `any`"))
    })
}

/// An IPv4 network that is written as an IPv6 one, as what it means: callers' addresses are read so too.
fn plain(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else {
        return network;
    };
    let (address, prefix) = (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(96));
    let meant = address.zip(prefix).and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    meant.map_or(network, IpNet::V4)
}
