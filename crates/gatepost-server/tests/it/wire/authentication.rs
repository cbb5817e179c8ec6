//! This file is where section C is: who gets no token, and how little they learn from it.

use gatepost_core::change::Change;
use gatepost_core::clients::{ClientId, SecretId, StoredSecret};
use gatepost_core::partners::Status;
use gatepost_core::time::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Refused, all_refused, granted, not_you};
use crate::asking::{Ask, DOORS, ORIGIN, STANDARD_DOOR, and, credentials, form_of, without};
use crate::cast::{self, C, EXPIRING, EXPIRING_SECRET, HELD, NO_GRANT, PUBLIC, S};
use crate::harness::{START, TestServer};

const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";
const GRANT: &str = "grant_type=client_credentials";

fn ask() -> Ask {
    Ask::post(ORIGIN)
}

fn at(door: &str, id: &str, secret: &str) -> Ask {
    Ask::post(door).form(&form_of(&credentials(id, secret)))
}

#[tokio::test]
async fn whoever_fails_to_authenticate_learns_nothing_more() {
    let hash = "$2y$10$nMSYsROYvaP7GErQsy1CWemWF.RnJQhzA2JsPaLuj83lCXC8plTsa";
    let rows = [
        ("C1", ask().json(&credentials(UNKNOWN, S))),
        ("C2", ask().json(&credentials(C, "nope"))),
        ("C3", at(ORIGIN, C, "nope")),
        ("C4", ask().basic(C, "nope").form(GRANT)),
        ("C5", at(ORIGIN, C, "nope").header("authorization", "Bearer x")),
        ("C6", at(ORIGIN, cast::SUSPENDED, S)),
        ("C6", ask().basic(cast::SUSPENDED, S).form(GRANT)),
        ("C7", ask().json(&without(credentials(PUBLIC, S), "client_secret"))),
        ("C7", ask().json(&credentials(PUBLIC, ""))),
        ("C7", ask().json(&credentials(PUBLIC, "x"))),
        ("C8", ask().json(&without(credentials(C, S), "client_secret"))),
        ("C9", ask().json(&credentials(C, ""))),
        ("C9", ask().basic(C, "").form(GRANT)),
        ("C10", ask().json(&credentials(C, hash))),
        ("C11", ask().json(&credentials(C, &format!("{S}x")))),
        ("C19", ask().json(&credentials(NO_GRANT, S))),
    ];
    let refused = |(id, ask)| Refused { id, ask, status: 401, body: not_you() };
    all_refused(rows.into_iter().map(refused).collect()).await;
}

#[tokio::test]
async fn the_challenge_is_of_the_scheme_that_was_used() {
    let server = TestServer::start().await;
    let (basic, bearer) = (Some(r#"Basic realm="OAuth""#), Some(r#"Bearer realm="OAuth""#));
    let rows = [
        ("C2", ask().json(&credentials(C, "nope")), None),
        ("C3", at(ORIGIN, C, "nope"), None),
        ("C4", ask().basic(C, "nope").form(GRANT), basic),
        ("C5", at(ORIGIN, C, "nope").header("authorization", "Bearer x"), bearer),
        ("C6", ask().basic(cast::SUSPENDED, S).form(GRANT), basic),
        ("C19", ask().basic(NO_GRANT, S).form(GRANT), basic),
        ("C2", at(STANDARD_DOOR, C, "nope"), basic),
        ("C4", Ask::post(STANDARD_DOOR).basic(C, "nope").form(GRANT), basic),
        ("C8", Ask::post(STANDARD_DOOR).form(GRANT), basic),
    ];
    for (id, ask, challenge) in rows {
        let reply = server.send(ask).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, challenge), "{id}");
    }
}

#[tokio::test]
async fn c15_a_client_stopped_at_another_node_is_refused_once_the_news_is_taken_up() {
    let server = TestServer::start().await;
    let other = server.another_node().await;
    assert_eq!(server.send(at(ORIGIN, C, S)).await.status, 200);

    let by = gatepost_core::actor::Actor::System;
    gatepost_operations::clients::suspend(&other, &by, C).await.unwrap();
    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    assert_eq!(server.send(at(ORIGIN, C, S)).await.status, 401);

    gatepost_operations::clients::resume(&other, &by, C).await.unwrap();
    server.clock.advance(2);
    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    assert_eq!(server.send(at(ORIGIN, C, S)).await.status, 200);
}

#[tokio::test]
async fn c15_the_clients_of_a_partner_stopped_at_another_node_are_refused_once_the_news_is_taken_up() {
    let server = TestServer::start().await;
    let other = server.another_node().await;
    let by = gatepost_core::actor::Actor::System;
    for id in [C, cast::INTEGER] {
        assert_eq!(server.send(at(ORIGIN, id, S)).await.status, 200);
    }

    gatepost_operations::partners::suspend(&other, &by, "acme").await.unwrap();
    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    for id in [C, cast::INTEGER] {
        assert_eq!(server.send(at(ORIGIN, id, S)).await.status, 401);
    }

    gatepost_operations::partners::resume(&other, &by, "acme").await.unwrap();
    server.clock.advance(2);
    gatepost_operations::news::take_up(&server.gate).await.unwrap();
    assert_eq!(server.send(at(ORIGIN, C, S)).await.status, 200);
}

#[tokio::test]
async fn c15_a_client_stopped_at_this_node_is_refused_at_once() {
    let server = TestServer::start().await;
    for door in DOORS {
        assert_eq!(server.send(at(door, C, S)).await.status, 200);
    }
    let found = server.gate.store().client_record(&ClientId::parse(C).unwrap()).await.unwrap().unwrap();
    let mut stopped = found.client;
    stopped.status = Status::Suspended;
    server.apply(vec![Change::ClientUpdated(stopped)]).await;
    for door in DOORS {
        assert_eq!(server.send(at(door, C, S)).await.outcome(), (401, "invalid_client".to_owned()));
    }
}

#[tokio::test]
async fn c16_a_client_is_refused_from_the_moment_it_expires() {
    let server = TestServer::start().await;
    // No token lives for less than a second, so a client gets its last one a second before.
    for (id, last) in [(EXPIRING, 59_000_000), (EXPIRING_SECRET, 59_999_999)] {
        server.clock.stop_at(START + last);
        assert_eq!(server.send(at(ORIGIN, id, S)).await.status, 200, "{id}");
        server.clock.stop_at(START + 60_000_000);
        assert_eq!(server.send(at(ORIGIN, id, S)).await.status, 401, "{id}");
    }
}

#[tokio::test]
async fn c17_two_secrets_are_both_good_until_the_older_one_runs_out() {
    let server = TestServer::start().await;
    let newer = cast::stored(&server.gate, "the newer one", EXPIRING_SECRET, Timestamp::from_micros(START));
    let newer = StoredSecret { id: SecretId(Uuid::from_u128(99)), ..newer };
    let client = ClientId::parse(EXPIRING_SECRET).unwrap();
    server.apply(vec![Change::SecretAdded { client, secret: newer }]).await;
    let statuses = async || {
        let older = server.send(at(ORIGIN, EXPIRING_SECRET, S)).await.status;
        (older, server.send(at(STANDARD_DOOR, EXPIRING_SECRET, "the newer one")).await.status)
    };

    assert_eq!(statuses().await, (200, 200));
    server.clock.advance(60);
    assert_eq!(statuses().await, (401, 200));
}

#[tokio::test]
async fn c17_a_secret_that_is_ended_is_refused_at_once() {
    let server = TestServer::start().await;
    let client = ClientId::parse(C).unwrap();
    assert_eq!(server.send(at(ORIGIN, C, S)).await.status, 200);
    let (secret, now) = (SecretId(Uuid::parse_str(C).unwrap()), Timestamp::from_micros(START));
    server.apply(vec![Change::SecretEnded { client, secret, at: now }]).await;
    assert_eq!(server.send(at(ORIGIN, C, S)).await.status, 401);
}

#[tokio::test]
async fn c18_a_client_held_to_addresses_is_refused_from_elsewhere_and_only_the_journal_says_why() {
    let server = TestServer::with(&[("server.trusted_proxies", "10.0.0.0/8")]).await;
    let ask = at(ORIGIN, HELD, S);
    let forwarded = |from: &str| ask.clone().header("x-forwarded-for", from);

    assert_eq!(server.send(ask.clone().at_address([198, 51, 100, 7])).await.status, 200);
    assert_eq!(server.send(forwarded("198.51.100.7").at_address([10, 0, 0, 1])).await.status, 200);
    for elsewhere in [
        ask.clone().at_address([203, 0, 113, 9]),
        forwarded("198.51.100.7").at_address([203, 0, 113, 9]),
        forwarded("198.51.100.7, 203.0.113.9").at_address([10, 0, 0, 1]),
    ] {
        let reply = server.send(elsewhere).await;
        assert_eq!((reply.status, reply.text()), (401, not_you().as_str()));
        let noted = &server.gate.journal().refusals()[0];
        assert_eq!(noted.reason, "the address is not in the client's list");
    }
}

#[tokio::test]
async fn c19_a_client_without_the_grant_is_unauthorized_only_where_the_door_says_so() {
    let server = TestServer::with(&[("origin.error_style", "passport13")]).await;

    let modern = server.send(at(ORIGIN, NO_GRANT, S)).await;
    assert_eq!(modern.outcome(), (400, "unauthorized_client".to_owned()));
    assert!(modern.json().get("message").is_none());
    assert_eq!(
        server.send(at(STANDARD_DOOR, NO_GRANT, S)).await.outcome(),
        (400, "unauthorized_client".to_owned())
    );
    assert_eq!(
        server.send(at(STANDARD_DOOR, NO_GRANT, "nope")).await.outcome(),
        (401, "invalid_client".to_owned())
    );
}

#[tokio::test]
async fn c20_every_refusal_is_json_that_nobody_may_keep() {
    let server = TestServer::start().await;
    for door in DOORS {
        for body in [
            json!({}),
            json!({ "grant_type": "foo" }),
            credentials(C, "nope"),
            and(credentials(C, S), json!({ "scope": "nope" })),
        ] {
            let reply = server.send(Ask::post(door).json(&body)).await;
            assert!(reply.status >= 400, "{body}");
            super::refusal_headers(&reply);
            assert_eq!(reply.header("cache-control"), Some("no-store, private"));
            assert!(reply.json()["error"].is_string());
        }
    }
}

#[tokio::test]
async fn passport_13_leaves_the_message_out() {
    let server = TestServer::with(&[("origin.error_style", "passport13")]).await;
    let reply = server.send(at(ORIGIN, C, "nope")).await;
    assert_eq!(
        reply.text(),
        r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#
    );
    granted(&server.send(at(ORIGIN, C, S)).await);
}
