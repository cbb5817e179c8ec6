//! This file is where a client that asks again gets the token that it has, and never one that is no longer good.

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::limits::SetLimits;
use gatepost_operations::partners::PartnerSettings;
use gatepost_operations::secrets::{self, AddSecret};
use gatepost_operations::{keys, partners, revocations, usage};
use serde_json::json;

use super::{ask, right, set, told};
use crate::asking::{Ask, DOORS, ORIGIN, STANDARD_DOOR, and, credentials};
use crate::cast::{C, OURS, PARTNER, S, SCOPES, our_secret};
use crate::harness::{FAST, START, TestServer};

async fn with_window(seconds: u32) -> TestServer {
    let server = TestServer::start().await;
    server.clock.stop_at(START);
    set(&server, C, SetLimits { replay_window: Some(seconds), ..SetLimits::default() }).await;
    server
}

/// The token and the life that is told of it.
async fn got(server: &TestServer, ask: Ask) -> (String, u64) {
    let reply = server.send(ask).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    (reply.token().text, reply.json()["expires_in"].as_u64().unwrap())
}

#[tokio::test]
async fn within_the_window_the_same_token_comes_with_the_life_that_is_left() {
    let server = with_window(300).await;
    let (first, life) = got(&server, right(ORIGIN, C)).await;
    assert_eq!(life, 3_600);
    server.clock.advance(299);
    for door in DOORS {
        assert_eq!(got(&server, right(door, C)).await, (first.clone(), 3_301), "{door}");
    }
    server.clock.advance(1);
    let (second, life) = got(&server, right(ORIGIN, C)).await;
    assert_eq!((second != first, life), (true, 3_600));
    assert_eq!(got(&server, right(ORIGIN, C)).await, (second, 3_600), "a new window begins");
}

#[tokio::test]
async fn without_a_window_each_token_is_new() {
    let server = TestServer::start().await;
    server.clock.stop_at(START);
    assert_ne!(got(&server, right(ORIGIN, C)).await.0, got(&server, right(ORIGIN, C)).await.0);
}

#[tokio::test]
async fn other_scopes_or_another_api_are_another_token() {
    let server = with_window(300).await;
    let asked = |more| Ask::post(STANDARD_DOOR).json(&and(credentials(C, S), more));
    let whole = got(&server, asked(json!({}))).await;
    let less = got(&server, asked(json!({ "scope": "bookings:create" }))).await;
    let fast = got(&server, asked(json!({ "resource": FAST }))).await;
    assert!(whole != less && whole != fast && less != fast);
    assert_eq!(got(&server, asked(json!({ "scope": "bookings:create" }))).await, less);
    assert_eq!(got(&server, asked(json!({ "resource": FAST }))).await, fast);
    assert_eq!(got(&server, asked(json!({}))).await, whole);
}

#[tokio::test]
async fn the_same_scopes_in_another_order_are_the_same() {
    let server = with_window(300).await;
    let asked = |scope| Ask::post(STANDARD_DOOR).json(&and(credentials(C, S), json!({ "scope": scope })));
    let first = got(&server, asked("bookings:create bookings:delete")).await;
    assert_eq!(got(&server, asked("bookings:delete bookings:create")).await, first);
}

#[tokio::test]
async fn a_client_has_sixteen_tokens_again_and_takes_no_place_of_others() {
    let server = with_window(300).await;
    set(&server, OURS, SetLimits { replay_window: Some(300), ..SetLimits::default() }).await;
    let all = SCOPES[..5].iter().map(|(_, scope)| (*scope).to_owned()).collect();
    let more = ClientSettings { scopes: Some(all), ..ClientSettings::default() };
    clients::update(&server.gate, &Actor::System, C, more).await.unwrap();
    let other = ask(ORIGIN, OURS, &our_secret(), "203.0.113.9");
    let others = got(&server, other.clone()).await;
    let sets: Vec<String> = (1..=17_usize)
        .map(|bits| {
            let of = |place: usize| (bits >> place & 1 == 1).then_some(SCOPES[place].1);
            (0..5).filter_map(of).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let asked =
        |scope: &str| Ask::post(STANDARD_DOOR).json(&and(credentials(C, S), json!({ "scope": scope })));
    let mut had = Vec::new();
    for scope in &sets {
        had.push(got(&server, asked(scope)).await);
    }
    for (scope, had) in sets.iter().zip(&had).skip(1) {
        assert_eq!(&got(&server, asked(scope)).await, had, "{scope}");
    }
    assert_ne!(got(&server, asked(&sets[0])).await, had[0], "the oldest went");
    assert_eq!(got(&server, other).await, others);
}

#[tokio::test]
async fn what_changes_nothing_for_a_client_leaves_it_its_token() {
    let server = with_window(300).await;
    let first = got(&server, right(ORIGIN, C)).await;
    // Its clients are read anew, as very many clients are at each look-up.
    let renamed = PartnerSettings { name: Some("another name".to_owned()), ..PartnerSettings::default() };
    partners::update(&server.gate, &Actor::System, PARTNER, renamed).await.unwrap();
    assert_eq!(got(&server, right(ORIGIN, C)).await, first);
}

#[tokio::test]
async fn a_token_that_is_handed_out_again_counts_for_no_quota_and_no_usage() {
    let server = with_window(300).await;
    set(&server, C, SetLimits { per_day: Some(1), ..SetLimits::default() }).await;
    let first = got(&server, right(ORIGIN, C)).await;
    assert_eq!(got(&server, right(ORIGIN, C)).await, first);
    usage::flush(&server.gate).await.unwrap();
    assert_eq!(usage::show(&server.gate, C, 1).await.unwrap()[0].issued, 1);
    let listed = secrets::list(&server.gate, C).await.unwrap();
    assert!(listed[0].last_used.is_some());
    server.clock.advance(300);
    assert_eq!(server.send(right(ORIGIN, C)).await.status, 429);
}

#[tokio::test]
async fn a_token_that_is_handed_out_again_tells_how_the_quotas_stand_and_uses_none_up() {
    for door in DOORS {
        let server = with_window(120).await;
        let quotas = SetLimits { per_day: Some(1), per_month: Some(9), ..SetLimits::default() };
        set(&server, C, quotas).await;
        let first = server.send(right(door, C)).await;
        let standing = first.header("ratelimit").unwrap();
        assert!(
            standing.starts_with(r#""day";r=0;t="#) && standing.contains(r#""month";r=8;t="#),
            "{standing}"
        );
        for _ in 0..3 {
            let again = server.send(right(door, C)).await;
            assert_eq!((again.status, again.token().text), (200, first.token().text), "{door}");
            assert_eq!(told(&again), told(&first), "{door}");
        }
    }
}

/// What makes the token that a client has one that it must not get again.
async fn change(server: &TestServer, what: &str, token: &str) {
    let (gate, actor) = (&server.gate, &Actor::System);
    match what {
        "the client is changed" => {
            let name = Some("another name".to_owned());
            clients::update(gate, actor, C, ClientSettings { name, ..ClientSettings::default() })
                .await
                .map(drop)
        }
        "the client is suspended and resumed" => {
            clients::suspend(gate, actor, C).await.unwrap();
            clients::resume(gate, actor, C).await.map(drop)
        }
        "the partner is suspended and resumed" => {
            partners::suspend(gate, actor, PARTNER).await.unwrap();
            partners::resume(gate, actor, PARTNER).await.map(drop)
        }
        "a secret is added" => secrets::add(gate, actor, C, AddSecret::default()).await.map(drop),
        "the key is revoked" => {
            let signing = keys::list(gate, Some("default")).await.unwrap().remove(0);
            keys::revoke(gate, actor, &signing.kid).await.map(drop)
        }
        "its own token is revoked" => {
            let form = format!("client_id={C}&client_secret={S}&token={token}");
            let reply = server.send(Ask::post("/oauth2/revoke").form(&form)).await;
            assert_eq!(reply.status, 200);
            Ok(())
        }
        "its tokens are revoked" => revocations::end_tokens_of_client(gate, actor, C).await,
        other => panic!("{other}"),
    }
    .unwrap();
}

#[tokio::test]
async fn after_any_change_a_fresh_token_comes_and_none_that_is_no_longer_good() {
    for what in [
        "the client is changed",
        "the client is suspended and resumed",
        "the partner is suspended and resumed",
        "a secret is added",
        "the key is revoked",
        "its own token is revoked",
        "its tokens are revoked",
    ] {
        let server = with_window(300).await;
        let (first, _) = got(&server, right(ORIGIN, C)).await;
        assert_eq!(got(&server, right(ORIGIN, C)).await.0, first, "{what}");
        change(&server, what, &first).await;
        // Beyond the moment until which tokens are ended with those that were: a client waits for it.
        server.clock.advance(3);
        assert_ne!(got(&server, right(ORIGIN, C)).await.0, first, "{what}");
    }
}

#[tokio::test]
async fn a_token_that_another_node_revoked_is_not_handed_out_once_that_is_heard() {
    let server = with_window(300).await;
    let other = server.another_server().await;
    let (first, _) = got(&server, right(ORIGIN, C)).await;
    let form = format!("client_id={C}&client_secret={S}&token={first}");
    assert_eq!(other.send(Ask::post("/oauth2/revoke").form(&form)).await.status, 200);
    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    assert_ne!(got(&server, right(ORIGIN, C)).await.0, first);
}

#[tokio::test]
async fn tokens_are_kept_in_memory_alone() {
    let server = with_window(300).await;
    let (first, _) = got(&server, right(ORIGIN, C)).await;
    usage::flush(&server.gate).await.unwrap();
    let signature = first.rsplit('.').next().unwrap().as_bytes().to_vec();
    let holds = |bytes: &[u8]| bytes.windows(signature.len()).any(|part| part == signature);
    assert!(server.stored_bytes().iter().all(|(_, bytes)| !holds(bytes)));
    let server = server.restarted().await;
    assert_ne!(got(&server, right(ORIGIN, C)).await.0, first);
}

#[tokio::test]
async fn of_many_that_ask_at_once_each_gets_a_good_token() {
    let server = with_window(300).await;
    let asks = (0..20).map(|_| got(&server, right(ORIGIN, C)));
    let tokens = futures_util::future::join_all(asks).await;
    let later = got(&server, right(ORIGIN, C)).await;
    assert!(tokens.contains(&later));
}

#[tokio::test]
async fn a_change_that_concerns_nobody_else_leaves_the_others_their_tokens() {
    let server = with_window(300).await;
    let first = got(&server, right(ORIGIN, C)).await;
    let other = gatepost_core::clients::ClientId::parse(crate::cast::DROPPING).unwrap();
    server.apply(vec![Change::ClientDeleted(other)]).await;
    assert_eq!(got(&server, right(ORIGIN, C)).await, first);
}
