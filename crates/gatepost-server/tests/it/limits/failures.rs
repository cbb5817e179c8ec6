//! This file is where failed authentications are counted, and right credentials are shown to pass whatever others do.

use gatepost_core::actor::Actor;
use gatepost_operations::api_secrets;
use gatepost_operations::secrets::AddSecret;

use super::{ask, statuses};
use crate::asking::{Ask, DOORS, ORIGIN, STANDARD_DOOR, credentials, form_of};
use crate::cast::{C, DELETED, ENDED, ORPHANED, OURS, PUBLIC, S, SUSPENDED, our_secret};
use crate::harness::{START, TestServer};

const HERE: &str = "198.51.100.7";
const ELSEWHERE: &str = "198.51.100.8";
const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

#[tokio::test]
async fn the_eleventh_failure_in_a_minute_is_429_with_an_error_member_at_both_doors() {
    for door in DOORS {
        let server = TestServer::start().await;
        server.clock.stop_at(START);
        let wrong = ask(door, C, "nope", HERE);
        assert_eq!(statuses(&server, &wrong, 13).await, [(401, 10), (429, 3)]);

        let reply = server.send(wrong.clone()).await;
        assert_eq!(reply.outcome(), (429, "slow_down".to_owned()));
        assert_eq!(reply.header("retry-after"), Some("6"));
        assert_eq!(reply.header("ratelimit-policy"), Some(r#""failed-client";q=10;w=60"#));
        assert_eq!(reply.header("ratelimit"), Some(r#""failed-client";r=0;t=6"#));
        assert_eq!(reply.header("www-authenticate"), None);
        assert!(reply.header("cache-control").unwrap().contains("no-store"));

        server.clock.advance(6);
        assert_eq!(statuses(&server, &wrong, 2).await, [(401, 1), (429, 1)], "whoever waits is heard again");
    }
}

#[tokio::test]
async fn nobody_can_shut_out_who_has_the_right_credentials() {
    let server = TestServer::with(&[("limits.failed_per_address", "15/min")]).await;
    for door in DOORS {
        statuses(&server, &ask(door, C, "nope", HERE), 40).await;
        for address in [HERE, ELSEWHERE] {
            assert_eq!(server.send(ask(door, C, S, address)).await.status, 200, "{address}");
        }
        assert_eq!(server.send(ask(door, C, "nope", HERE)).await.status, 429);
    }
}

#[tokio::test]
async fn another_spelling_of_an_id_is_nobodys_and_shuts_nobody_out() {
    let server = TestServer::start().await;
    server.gate.clients().learn_ids().await.unwrap();
    for door in DOORS {
        for other in [C.to_uppercase(), C.replace('-', "")] {
            assert_eq!(server.send(ask(door, &other, S, HERE)).await.status, 401, "{other}");
            assert_eq!(server.send(ask(door, C, S, HERE)).await.status, 200, "after {other}");
        }
    }
}

#[tokio::test]
async fn failures_are_counted_by_the_pair_of_id_and_address() {
    let server = TestServer::start().await;
    statuses(&server, &ask(ORIGIN, C, "nope", HERE), 11).await;

    assert_eq!(server.send(ask(STANDARD_DOOR, C, "nope", HERE)).await.status, 429, "at both doors together");
    assert_eq!(server.send(ask(ORIGIN, OURS, "nope", HERE)).await.status, 401);
    assert_eq!(server.send(ask(ORIGIN, C, "nope", ELSEWHERE)).await.status, 401);
}

#[tokio::test]
async fn unknown_wrong_suspended_and_ended_look_the_same_over_the_limit_too() {
    for door in DOORS {
        let server = TestServer::start().await;
        server.clock.stop_at(START);
        let everyone =
            [(UNKNOWN, S), (C, "nope"), (SUSPENDED, S), (ORPHANED, S), (DELETED, S), (ENDED, S), (PUBLIC, S)];
        let mut seen = Vec::new();
        for (id, secret) in everyone {
            let mut replies = Vec::new();
            for _ in 0..13 {
                replies.push(server.send(ask(door, id, secret, HERE)).await.bytes_seen());
            }
            assert_eq!((replies[9].0, replies[10].0), (401, 429), "{id}");
            seen.push(replies);
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    }
}

#[tokio::test]
async fn over_the_limit_a_refusal_still_takes_one_look_up_and_one_tag() {
    let server = TestServer::start().await;
    for (id, secret) in [(UNKNOWN, S), (C, "nope"), (SUSPENDED, S)] {
        statuses(&server, &ask(ORIGIN, id, secret, HERE), 11).await;
        let counts = || (server.gate.clients().lookups(), server.gate.master_key().peppers.used());
        let before = counts();
        assert_eq!(server.send(ask(ORIGIN, id, secret, HERE)).await.status, 429);
        let after = counts();
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{id}");
    }
}

#[tokio::test]
async fn an_id_that_is_spelled_in_ever_new_ways_is_counted_as_what_it_means() {
    let server = TestServer::start().await;
    let spelled = |number: usize| {
        let spelled: String = C
            .bytes()
            .enumerate()
            .map(
                |(at, byte)| if at == number { format!("%{byte:02x}") } else { char::from(byte).to_string() },
            )
            .collect();
        let form = "grant_type=client_credentials";
        Ask { peer: HERE.parse().unwrap(), ..Ask::post(STANDARD_DOOR).basic(&spelled, "nope").form(form) }
    };
    let mut refused = Vec::new();
    for number in 0..12 {
        refused.push(server.send(spelled(number)).await.status);
    }
    assert_eq!(refused, [vec![401; 10], vec![429; 2]].concat());
}

#[tokio::test]
async fn an_address_that_tries_ever_new_ids_has_a_limit_of_its_own() {
    let server = TestServer::with(&[("limits.failed_per_address", "20/min")]).await;
    let mut refused = Vec::new();
    for number in 0..25 {
        refused.push(server.send(ask(ORIGIN, &format!("guess-{number}"), S, HERE)).await.status);
    }
    assert_eq!(refused, [vec![401; 20], vec![429; 5]].concat());
    let reply = server.send(ask(STANDARD_DOOR, "another", S, HERE)).await;
    assert_eq!(reply.header("ratelimit-policy"), Some(r#""failed-address";q=20;w=60"#));
    assert_eq!(server.send(ask(ORIGIN, "guess", S, ELSEWHERE)).await.status, 401);
    assert_eq!(server.send(ask(ORIGIN, C, S, HERE)).await.status, 200);
}

#[tokio::test]
async fn a_limit_of_0_is_none_and_another_one_holds_as_it_says() {
    let off = [("limits.failed_per_client", "0"), ("limits.failed_per_address", "0")];
    let server = TestServer::with(&off).await;
    assert_eq!(statuses(&server, &ask(ORIGIN, C, "nope", HERE), 60).await, [(401, 60)]);

    let server = TestServer::with(&[("limits.failed_per_client", "3/s")]).await;
    server.clock.stop_at(START);
    assert_eq!(statuses(&server, &ask(ORIGIN, C, "nope", HERE), 5).await, [(401, 3), (429, 2)]);
}

#[tokio::test]
async fn the_log_is_told_both_why_and_that_it_was_too_often() {
    let server = TestServer::start().await;
    statuses(&server, &ask(ORIGIN, C, "nope", HERE), 11).await;
    let noted = &server.gate.journal().refusals()[0];
    assert_eq!(
        (noted.code, noted.reason.as_str()),
        ("slow_down", "wrong secret; over the limit `failed-client`")
    );
    assert_eq!(server.gate.metrics.snapshot().limited["failed-client"], 1);
}

#[tokio::test]
async fn a_request_that_proves_nothing_because_it_holds_nothing_is_not_counted() {
    let server = TestServer::start().await;
    let bare = Ask::post(STANDARD_DOOR).form("grant_type=client_credentials");
    assert_eq!(statuses(&server, &bare, 15).await, [(401, 15)]);
    let form = "grant_type=client_credentials";
    for door in DOORS {
        let empty = Ask { peer: HERE.parse().unwrap(), ..Ask::post(door).basic(C, "").form(form) };
        assert_eq!(statuses(&server, &empty, 14).await, [(401, 14)], "{door}");
    }
    let broken = Ask::post(ORIGIN).form("grant_type=nonsense&client_id=x&client_secret=y");
    assert_eq!(statuses(&server, &broken, 15).await, [(400, 15)]);
}

#[tokio::test]
async fn who_gives_tokens_back_is_counted_like_who_asks_for_them() {
    let server = TestServer::start().await;
    let give_back = |secret: &str| {
        let form = format!("{}&token=x", form_of(&credentials(C, secret)));
        Ask { peer: HERE.parse().unwrap(), ..Ask::post("/oauth2/revoke").form(&form) }
    };
    assert_eq!(statuses(&server, &give_back("nope"), 12).await, [(401, 10), (429, 2)]);
    assert_eq!(server.send(give_back(S)).await.status, 200);
    assert_eq!(server.send(ask(ORIGIN, C, "nope", HERE)).await.status, 429, "it is one count");
}

#[tokio::test]
async fn an_api_with_a_wrong_secret_is_held_back_and_with_the_right_one_never() {
    let server = TestServer::start().await;
    let api = server.api("default").0.to_string();
    let made = api_secrets::add(&server.gate, &Actor::System, "default", AddSecret::default()).await.unwrap();
    let question = |secret: &str| Ask::post("/oauth2/introspect").basic(&api, secret).form("token=x");
    let feed = |secret: &str| Ask::read("/oauth2/revocations").basic(&api, secret);

    assert_eq!(statuses(&server, &question(""), 14).await, [(401, 14)], "nothing was tried with it");
    assert_eq!(statuses(&server, &question("nope"), 12).await, [(401, 10), (429, 2)]);
    let reply = server.send(feed("nope")).await;
    assert_eq!(reply.outcome(), (429, "slow_down".to_owned()));
    assert!(reply.header("retry-after").is_some());
    assert_eq!(server.send(question(made.secret.expose())).await.status, 200);
    assert_eq!(server.send(feed(made.secret.expose())).await.status, 200);
}

#[tokio::test]
async fn our_own_secrets_mistyped_count_too() {
    let server = TestServer::start().await;
    let mut mistyped = our_secret();
    mistyped.pop();
    mistyped.push('!');
    assert_eq!(statuses(&server, &ask(ORIGIN, OURS, &mistyped, HERE), 12).await, [(401, 10), (429, 2)]);
}
