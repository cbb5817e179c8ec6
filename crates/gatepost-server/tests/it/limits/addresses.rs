//! This file is where it is shown which address counts: the caller's behind trusted proxies, IPv6 by its network; and that
//! clients are held to their lists of addresses.

use super::{ask, statuses};
use crate::asking::{Ask, ORIGIN, credentials};
use crate::cast::{C, HELD, INTEGER, S};
use crate::harness::TestServer;

#[tokio::test]
async fn behind_a_trusted_proxy_each_caller_is_counted_by_itself() {
    let server = TestServer::with(&[("server.trusted_proxies", "10.0.0.0/8")]).await;
    let from = |caller: &str| ask(ORIGIN, C, "nope", "10.0.0.1").header("x-forwarded-for", caller);
    assert_eq!(statuses(&server, &from("198.51.100.7"), 11).await, [(401, 10), (429, 1)]);
    assert_eq!(server.send(from("198.51.100.8")).await.status, 401);
    // What the caller itself puts in front makes it nobody else.
    assert_eq!(server.send(from("192.0.2.1, 198.51.100.7")).await.status, 429);
}

#[tokio::test]
async fn a_header_from_a_proxy_that_is_not_trusted_changes_nothing() {
    let server = TestServer::start().await;
    let from = |caller: &str| ask(ORIGIN, C, "nope", "203.0.113.5").header("x-forwarded-for", caller);
    for number in 0..10 {
        assert_eq!(server.send(from(&format!("198.51.100.{number}"))).await.status, 401);
    }
    assert_eq!(server.send(from("198.51.100.99")).await.status, 429);
}

#[tokio::test]
async fn callers_whose_address_is_unreadable_share_one_count_and_right_credentials_pass() {
    let server = TestServer::with(&[("server.trusted_proxies", "10.0.0.0/8")]).await;
    let from = |caller: &str, secret| ask(ORIGIN, C, secret, "10.0.0.1").header("x-forwarded-for", caller);
    assert_eq!(statuses(&server, &from("nonsense", "nope"), 11).await, [(401, 10), (429, 1)]);
    assert_eq!(server.send(from("other nonsense", "nope")).await.status, 429);
    assert_eq!(server.send(from("nonsense", S)).await.status, 200);
}

#[tokio::test]
async fn an_ipv6_caller_counts_with_its_network_and_an_ipv4_one_however_it_is_written() {
    let server = TestServer::start().await;
    for number in 0..10 {
        let wrong = ask(ORIGIN, C, "nope", &format!("2001:db8:1:1::{number}"));
        assert_eq!(server.send(wrong).await.status, 401);
    }
    assert_eq!(server.send(ask(ORIGIN, C, "nope", "2001:db8:1:1:abcd::1")).await.status, 429);
    assert_eq!(server.send(ask(ORIGIN, C, "nope", "2001:db8:1:2::1")).await.status, 401);

    statuses(&server, &ask(ORIGIN, INTEGER, "nope", "203.0.113.77"), 10).await;
    assert_eq!(server.send(ask(ORIGIN, INTEGER, "nope", "::ffff:203.0.113.77")).await.status, 429);
}

#[tokio::test]
async fn a_client_with_a_list_comes_from_it_or_not_at_all() {
    let server = TestServer::with(&[("server.trusted_proxies", "10.0.0.0/8")]).await;
    let from = |peer: &str, forwarded: &str| {
        let ask = Ask { peer: peer.parse().unwrap(), ..Ask::post(ORIGIN).json(&credentials(HELD, S)) };
        if forwarded.is_empty() { ask } else { ask.header("x-forwarded-for", forwarded) }
    };
    // HELD is held to 198.51.100.0/24.
    for (peer, forwarded, status) in [
        ("198.51.100.1", "", 200),
        ("::ffff:198.51.100.1", "", 200),
        ("198.51.101.1", "", 401),
        ("198.51.101.1", "198.51.100.1", 401),
        ("10.0.0.1", "198.51.100.1", 200),
        ("10.0.0.1", "198.51.100.1, 192.0.2.1", 401),
        ("10.0.0.1", "::ffff:198.51.100.1", 200),
        ("10.0.0.1", "unknown", 401),
        ("10.0.0.1", "", 401),
        ("2001:db8::1", "", 401),
    ] {
        assert_eq!(server.send(from(peer, forwarded)).await.status, status, "{peer} {forwarded}");
    }
}
