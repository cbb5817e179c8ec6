//! This file is where assertions are used again: one after the other, at the same moment, elsewhere, after a restart.

use std::sync::Arc;

use gatepost_core::clients::{Assertion, Presented};
use gatepost_core::params::{Door, Params, Value};
use gatepost_operations::background::sweeping;
use gatepost_operations::gate::Gate;
use gatepost_operations::tokens::{self, TokenRequest};

use super::{Signer, reason, send, server_knowing};
use crate::asking::{Ask, STANDARD_DOOR, and, form_of};

/// Whether a node gives a token for the assertion.
async fn is_granted(gate: &Gate, assertion: &str) -> bool {
    let mut params = Params::default();
    params.insert("grant_type".into(), Value::Text("client_credentials".into()));
    let request = TokenRequest {
        door: Door::Standard,
        params: Ok(params),
        presented: Assertion::read(assertion, None).map(Presented::Assertion),
        address: None,
        request_id: "r".into(),
    };
    tokens::issue(gate, request).await.is_ok()
}

#[tokio::test]
async fn t132_an_assertion_counts_once() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let assertion = signer.assertion(&server, "1");
    send(&server, &assertion).await.token();
    assert_eq!(send(&server, &assertion).await.outcome(), (401, "invalid_client".to_owned()));
    assert_eq!(reason(&server), "assertion replayed");
    let resigned = signer.assertion(&server, "1");
    assert_eq!(send(&server, &resigned).await.status, 401, "another signature over the same id");
    send(&server, &signer.assertion(&server, "2")).await.token();
}

#[tokio::test]
async fn an_assertion_is_used_up_by_a_request_that_is_refused_for_its_scope() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let assertion = signer.assertion(&server, "1");
    let members = and(super::members(&assertion), serde_json::json!({ "scope": "nope" }));
    let reply = server.send(Ask::post(STANDARD_DOOR).form(&form_of(&members))).await;
    assert_eq!(reply.outcome(), (400, "invalid_scope".to_owned()));
    assert_eq!(send(&server, &assertion).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_simultaneous_uses_at_two_nodes_exactly_one_succeeds() {
    let signer = Signer::new();
    let server = Arc::new(server_knowing(&signer).await);
    let other = server.another_node().await;
    for round in 0..5 {
        let assertion: Arc<str> = signer.assertion(&server, &format!("round {round}")).into();
        let uses: Vec<_> = (0..64)
            .map(|number| {
                let (server, other, assertion) =
                    (Arc::clone(&server), Arc::clone(&other), Arc::clone(&assertion));
                tokio::spawn(async move {
                    if number % 2 == 0 {
                        send(&server, &assertion).await.status == 200
                    } else {
                        is_granted(&other, &assertion).await
                    }
                })
            })
            .collect();
        let mut granted = 0;
        for used in uses {
            granted += usize::from(used.await.unwrap());
        }
        assert_eq!(granted, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_replay_after_a_restart_is_refused() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let (used, fresh) = (signer.assertion(&server, "1"), signer.assertion(&server, "2"));
    send(&server, &used).await.token();
    server.gate.close().await;

    let restarted = server.another_node().await;
    assert!(!is_granted(&restarted, &used).await);
    assert!(is_granted(&restarted, &fresh).await);
}

#[tokio::test]
async fn what_is_swept_away_is_refused_by_its_dates() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let assertion = signer.assertion(&server, "1");
    send(&server, &assertion).await.token();

    // The last moment at which its dates would let it pass, and the first at which they do not.
    server.clock.advance(60 + 58);
    sweeping::sweep(&server.gate).await.unwrap();
    assert_eq!(send(&server, &assertion).await.status, 401);
    assert_eq!(reason(&server), "assertion replayed");
    server.clock.advance(2);
    sweeping::sweep(&server.gate).await.unwrap();
    assert_eq!(send(&server, &assertion).await.status, 401);
    assert_eq!(reason(&server), "the assertion has expired");
}

#[tokio::test]
async fn without_the_store_an_assertion_is_503_and_not_used_up() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    send(&server, &signer.assertion(&server, "warms the client")).await.token();
    let assertion = signer.assertion(&server, "1");
    server.gate.close().await;

    let reply = send(&server, &assertion).await;
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    assert!(reply.header("retry-after").is_some());
    assert!(is_granted(&*server.another_node().await, &assertion).await);
}
