//! This file is where the caller's address is found: the peer's, or what trusted proxies say in front of it.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap, HeaderValue};
use gatepost_operations::gate::Gate;
use ipnet::IpNet;

use super::facts::Peer;

/// The address that a request came from, if it is known.
pub(crate) fn of_request(gate: &Gate, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<Peer>()?.0.ip();
    of_caller(peer, headers, &gate.config.server.trusted_proxies)
}

/// The address of the caller behind the proxies that are trusted.
///
/// `X-Forwarded-For` is read from its end, as far as trusted proxies wrote it; whatever stands before the first
/// untrusted address was written by the caller and is not believed. `None` when a trusted proxy sent something unreadable.
fn of_caller(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = peer.to_canonical();
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let hops = lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));

    for hop in hops {
        if !is_trusted(&address) {
            break;
        }
        let hop = std::str::from_utf8(hop).ok()?;
        address = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, forwarded: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if !forwarded.is_empty() {
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        of_caller(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        assert_eq!(caller("203.0.113.9", "198.51.100.1").as_deref(), Some("203.0.113.9"));
        assert_eq!(caller("10.0.0.1", "198.51.100.1").as_deref(), Some("198.51.100.1"));
        assert_eq!(caller("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2").as_deref(), Some("198.51.100.1"));
        assert_eq!(caller("10.0.0.1", "").as_deref(), Some("10.0.0.1"));
        assert_eq!(caller("10.0.0.1", "nonsense"), None);
        assert_eq!(caller("::ffff:203.0.113.9", "").as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn bytes_that_are_no_text_hide_nothing_that_a_proxy_wrote() {
        let caller = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
            }
            of_caller([10, 0, 0, 1].into(), &headers, &["10.0.0.0/8".parse().unwrap()])
                .map(|it| it.to_string())
        };
        assert_eq!(caller(&[b"\xff, 203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(caller(&[b"10.0.0.9", b"\xff, 203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(caller(&[b"203.0.113.9, \xff"]), None);
    }
}
