//! This file is where token requests are held to rates, by client and by address, and told how they stand.

use gatepost_core::actor::Actor;
use gatepost_operations::limits::{self, ClearLimits, SetLimits};
use gatepost_operations::news;

use super::{ask, right, set, statuses, told};
use crate::asking::{DOORS, ORIGIN, STANDARD_DOOR};
use crate::cast::{C, INTEGER, S};
use crate::harness::{START, TestServer};

fn tokens(rate: &str) -> SetLimits {
    SetLimits { tokens: Some(rate.to_owned()), ..SetLimits::default() }
}

#[tokio::test]
async fn exactly_as_many_requests_as_the_rate_says_are_served_for_each_client() {
    let server = TestServer::with(&[("limits.tokens_per_client", "5/min")]).await;
    server.clock.stop_at(START);
    for client in [C, INTEGER] {
        assert_eq!(statuses(&server, &right(ORIGIN, client), 7).await, [(200, 5), (429, 2)], "{client}");
    }
    assert_eq!(server.send(right(STANDARD_DOOR, C)).await.status, 429, "both doors count together");
    server.clock.advance(12);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 2).await, [(200, 1), (429, 1)]);
    server.clock.advance(60);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 6).await, [(200, 5), (429, 1)]);
}

#[tokio::test]
async fn each_door_tells_how_the_client_stands_in_its_own_way() {
    let server = TestServer::with(&[("limits.tokens_per_client", "5/min")]).await;
    server.clock.stop_at(START);
    let draft = |remaining: u32, reset: u32| {
        vec![
            ("ratelimit", format!(r#""tokens";r={remaining};t={reset}"#)),
            ("ratelimit-policy", r#""tokens";q=5;w=60"#.to_owned()),
        ]
    };
    assert_eq!(told(&server.send(right(STANDARD_DOOR, C)).await), draft(4, 12));
    let laravel = [("x-ratelimit-limit", "5".to_owned()), ("x-ratelimit-remaining", "3".to_owned())];
    assert_eq!(told(&server.send(right(ORIGIN, C)).await), [draft(3, 24), laravel.to_vec()].concat());

    statuses(&server, &right(ORIGIN, C), 3).await;
    let reply = server.send(right(STANDARD_DOOR, C)).await;
    assert_eq!((told(&reply), reply.header("retry-after")), (draft(0, 12), Some("12")));
    assert_eq!(
        reply.text(),
        concat!(
            r#"{"error":"slow_down","error_description":"too many tokens were asked for, or authentication failed too often; wait as long as Retry-After says","#,
            r#""error_uri":"https://auth.example/docs#slow_down"}"#
        )
    );
}

#[tokio::test]
async fn the_headers_on_the_page_for_partners_are_those_that_are_sent() {
    const PAGE: &str = include_str!("../../../../../docs/integrate/partners.md");
    let server = TestServer::with(&[("limits.tokens_per_client", "60/min")]).await;
    server.clock.stop_at(START);
    statuses(&server, &right(STANDARD_DOOR, C), 11).await;
    let reply = server.send(right(STANDARD_DOOR, C)).await;
    for (name, spelled) in [("ratelimit", "RateLimit"), ("ratelimit-policy", "RateLimit-Policy")] {
        let line = format!("`{spelled}: {}`", reply.header(name).unwrap());
        assert!(PAGE.contains(&line), "{line}");
    }
    statuses(&server, &right(ORIGIN, C), 48).await;
    let reply = server.send(right(ORIGIN, C)).await;
    let reset = (START / 1_000_000 + 1).to_string();
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));
    assert_eq!(reply.header("x-ratelimit-reset"), Some(&*reset));
}

#[tokio::test]
async fn a_limit_of_its_own_goes_before_the_setting_and_0_is_none() {
    let server = TestServer::with(&[("limits.tokens_per_client", "2/min")]).await;
    server.clock.stop_at(START);
    set(&server, C, tokens("4/min")).await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 5).await, [(200, 4), (429, 1)]);
    set(&server, C, tokens("0")).await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 5).await, [(200, 5)]);
    limits::clear(&server.gate, &Actor::System, C, ClearLimits::default()).await.unwrap();
    server.clock.advance(60);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn another_node_holds_to_a_new_limit_as_soon_as_it_hears_of_it() {
    let server = TestServer::start().await;
    let other = server.another_server().await;
    assert_eq!(statuses(&other, &right(ORIGIN, C), 3).await, [(200, 3)]);
    set(&server, C, tokens("1/h")).await;
    news::take_up(&other.gate).await.unwrap();
    assert_eq!(statuses(&other, &right(ORIGIN, C), 2).await, [(200, 1), (429, 1)]);
}

#[tokio::test]
async fn two_clients_behind_one_address_share_its_rate() {
    let server = TestServer::with(&[("limits.tokens_per_address", "4/min")]).await;
    server.clock.stop_at(START);
    let here = |client| ask(ORIGIN, client, S, "198.51.100.7");
    assert_eq!(statuses(&server, &here(C), 3).await, [(200, 3)]);
    assert_eq!(statuses(&server, &here(INTEGER), 2).await, [(200, 1), (429, 1)]);
    let reply = server.send(here(C)).await;
    assert_eq!(reply.header("ratelimit-policy"), Some(r#""address";q=4;w=60"#));
    assert_eq!(server.send(ask(ORIGIN, C, S, "198.51.100.8")).await.status, 200);
}

#[tokio::test]
async fn failures_take_nothing_from_the_rate_of_tokens() {
    let settings = [("limits.tokens_per_client", "2/min"), ("limits.tokens_per_address", "2/min")];
    let server = TestServer::with(&settings).await;
    server.clock.stop_at(START);
    for door in DOORS {
        statuses(&server, &ask(door, C, "nope", "203.0.113.9"), 20).await;
    }
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn a_client_over_its_rate_makes_no_signature_and_is_counted_as_refused() {
    let server = TestServer::with(&[("limits.tokens_per_client", "1/min")]).await;
    server.clock.stop_at(START);
    statuses(&server, &right(ORIGIN, C), 5).await;
    let counts = server.gate.metrics.snapshot();
    assert_eq!((counts.origin.issued, counts.origin.refused, counts.limited["tokens"]), (1, 4, 4));
    assert_eq!(counts.signatures, 1);
}
