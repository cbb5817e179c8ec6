//! This file is where it is shown that who is refused can't learn why: the same bytes, and the same steps by counting.

use gatepost_operations::background::warming;
use serde_json::json;

use crate::asking::{Ask, DOORS, and, credentials, form_of};
use crate::cast::{
    C, DELETED, ENDED, EXPIRING, EXPIRING_SECRET, LEAVING, ORPHANED, PENDING_SECRET, PUBLIC, S, SUSPENDED,
    our_secret,
};
use crate::harness::TestServer;

const GRANT: &str = "grant_type=client_credentials";
const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

/// Everyone whose refusal must look the same, with the secret that they present.
const REFUSED: [(&str, &str, &str); 11] = [
    ("unknown", UNKNOWN, S),
    ("wrong secret", C, "nope"),
    ("suspended", SUSPENDED, S),
    ("partner suspended", ORPHANED, S),
    ("deleted", DELETED, S),
    ("ended secret", ENDED, S),
    ("expired secret", EXPIRING_SECRET, S),
    ("expired client", EXPIRING, S),
    ("expired partner", LEAVING, S),
    ("pending secret", PENDING_SECRET, S),
    ("no secret stored", PUBLIC, S),
];

type Way = fn(&str, &str, &str) -> Ask;

const WAYS: [Way; 3] = [
    |door, id, secret| Ask::post(door).json(&credentials(id, secret)),
    |door, id, secret| Ask::post(door).form(&form_of(&credentials(id, secret))),
    |door, id, secret| Ask::post(door).basic(id, secret).form(GRANT),
];

#[tokio::test]
async fn c06_unknown_wrong_suspended_and_ended_are_the_same_bytes() {
    let server = TestServer::start().await;
    server.clock.advance(120);
    for door in DOORS {
        for way in WAYS {
            let mut replies = Vec::new();
            for (who, id, secret) in REFUSED {
                let reply = server.send(way(door, id, secret)).await;
                assert_eq!(reply.status, 401, "{who}");
                replies.push(reply.bytes_seen());
            }
            assert!(replies.windows(2).all(|pair| pair[0] == pair[1]), "{door}: {replies:#?}");
        }
    }
}

#[tokio::test]
async fn whose_time_is_over_or_has_not_come_is_let_in_within_it() {
    let server = TestServer::start().await;
    for (id, at_first, in_an_hour) in
        [(EXPIRING, 200, 401), (LEAVING, 200, 401), (EXPIRING_SECRET, 200, 401), (PENDING_SECRET, 401, 200)]
    {
        let server = server.another_server().await;
        assert_eq!(server.send(WAYS[0](DOORS[0], id, S)).await.status, at_first, "{id}");
        let later = TestServer::start().await;
        later.pass(3_600).await;
        assert_eq!(later.send(WAYS[0](DOORS[0], id, S)).await.status, in_an_hour, "{id}");
    }
}

#[tokio::test]
async fn c12_each_refusal_takes_one_look_up_and_one_tag() {
    let server = TestServer::start().await;
    server.clock.advance(120);
    for door in DOORS {
        for way in WAYS {
            for (who, id, secret) in REFUSED {
                server.gate.clients().forget_all();
                assert_eq!(steps(&server, way(door, id, secret)).await, (401, 1, 1), "{who} at {door}");
            }
        }
    }
}

/// The status, and how many look-ups and tags it took.
async fn steps(server: &TestServer, ask: Ask) -> (u16, u64, u64) {
    let counts = || (server.gate.clients().lookups(), server.gate.master_key().peppers.used());
    let before = counts();
    let status = server.send(ask).await.status;
    let after = counts();
    (status, after.0 - before.0, after.1 - before.1)
}

#[tokio::test]
async fn c12_once_warm_no_refusal_reads_the_store() {
    let server = TestServer::patient().await;
    server.clock.advance(120);
    let refuse_all = async || {
        for door in DOORS {
            for way in WAYS {
                for (who, id, secret) in REFUSED {
                    assert_eq!(steps(&server, way(door, id, secret)).await, (401, 1, 1), "{who} at {door}");
                }
            }
        }
    };
    refuse_all().await;
    let before = server.gate.clients().reads();
    refuse_all().await;
    assert_eq!(server.gate.clients().reads(), before, "an unknown id costs no more than a wrong secret");
}

#[tokio::test]
async fn c12_the_first_refusal_of_a_client_reads_nothing_once_clients_were_read_ahead() {
    let server = TestServer::patient().await;
    server.clock.advance(120);
    for (who, id, secret) in REFUSED {
        server.gate.clients().forget_all();
        server.gate.clients().learn_ids().await.unwrap();
        warming::warm(&server.gate).await.unwrap();
        let before = server.gate.clients().reads();
        assert_eq!(steps(&server, WAYS[0](DOORS[0], id, secret)).await, (401, 1, 1), "{who}");
        assert_eq!(server.gate.clients().reads(), before, "{who} costs no more than an unknown id");
    }
}

#[tokio::test]
async fn a_granted_token_of_a_warm_client_reads_nothing() {
    let server = TestServer::start().await;
    for door in DOORS {
        server.gate.clients().forget_all();
        server.send(WAYS[0](door, C, S)).await;
        let before = server.gate.clients().reads();
        assert_eq!(steps(&server, WAYS[0](door, C, S)).await, (200, 1, 1));
        assert_eq!(server.gate.clients().reads(), before);
    }
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_before_any_look_up_and_only_the_journal_says_why() {
    let server = TestServer::patient().await;
    let mut mistyped = our_secret();
    let last = if mistyped.ends_with('x') { 'y' } else { 'x' };
    mistyped.pop();
    mistyped.push(last);
    for door in DOORS {
        for way in WAYS {
            for id in [crate::cast::OURS, C, UNKNOWN] {
                assert_eq!(steps(&server, way(door, id, &mistyped)).await, (401, 0, 0));
                let noted = &server.gate.journal().refusals()[0];
                assert!(noted.reason.contains("checksum"), "{}", noted.reason);
                let reply = server.send(way(door, id, &mistyped)).await;
                let ordinary = server.send(way(door, UNKNOWN, "nope")).await;
                assert_eq!(reply.bytes_seen(), ordinary.bytes_seen());
            }
        }
    }
}

#[tokio::test]
async fn a_refused_client_is_refused_before_its_resource_or_scope_is_looked_at() {
    let server = TestServer::start().await;
    let more = json!({ "scope": "nope", "resource": "https://nobody.example" });
    for door in DOORS {
        let ask = |id, secret| Ask::post(door).json(&and(credentials(id, secret), more.clone()));
        let unknown = server.send(ask(UNKNOWN, S)).await.bytes_seen();
        for (who, id, secret) in [("wrong", C, "nope"), ("suspended", SUSPENDED, S)] {
            assert_eq!(server.send(ask(id, secret)).await.bytes_seen(), unknown, "{who}");
        }
    }
}
