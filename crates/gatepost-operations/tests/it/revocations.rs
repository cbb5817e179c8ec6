//! This file is where tokens are ended: one, a client's, a partner's; and what suspension and loss end with them.

use std::time::Duration;

use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::gate::Gate;
use gatepost_operations::revocations::{self, IssuedTo};
use gatepost_operations::{background, partners};

use crate::stage::{ACTOR, Stage, WithSecret, ask};

const MILLI: Duration = Duration::from_millis(1);

fn is_revoked(gate: &Gate, owner: &WithSecret, issued: Timestamp) -> bool {
    let partner = owner.client.partner_id.to_string();
    let token = IssuedTo { jti: "j", client: &owner.client.client_id, partner: Some(&partner), issued };
    gate.revocations.now().covers(&token)
}

#[tokio::test]
async fn suspending_a_client_ends_its_tokens_and_resuming_revives_none() {
    let stage = Stage::with_api().await;
    let (acme, other) = (stage.client("Acme").await, stage.client("Other").await);
    let issued = stage.now();
    stage.pass(MILLI);

    clients::suspend(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();
    assert!(is_revoked(&stage.gate, &acme, issued));
    assert!(!is_revoked(&stage.gate, &other, issued));
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_err());

    stage.pass(MILLI);
    clients::resume(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();
    assert!(is_revoked(&stage.gate, &acme, issued));
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_ok());
    // Until every node has heard of the suspension one may give out tokens, which end with it.
    assert!(is_revoked(&stage.gate, &acme, stage.now()));
    stage.pass(Duration::from_secs(2));
    assert!(!is_revoked(&stage.gate, &acme, stage.now()), "tokens from after the suspension live");
}

#[tokio::test]
async fn suspending_a_partner_ends_the_tokens_of_its_clients() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let issued = stage.now();

    partners::suspend(&stage.gate, &ACTOR, "acme").await.unwrap();
    assert!(is_revoked(&stage.gate, &acme, issued));
    assert!(ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.is_err());
}

#[tokio::test]
async fn losing_a_scope_or_being_deleted_ends_live_tokens() {
    let stage = Stage::with_api().await;
    let (loses, goes) = (stage.client("Loses").await, stage.client("Goes").await);
    let issued = stage.now();

    let none = ClientSettings { scopes: Some(vec![]), ..ClientSettings::default() };
    clients::update(&stage.gate, &ACTOR, &loses.client.client_id, none).await.unwrap();
    clients::delete(&stage.gate, &ACTOR, &goes.client.client_id).await.unwrap();

    assert!(is_revoked(&stage.gate, &loses, issued));
    assert!(is_revoked(&stage.gate, &goes, issued));
}

#[tokio::test]
async fn another_node_and_a_restart_know_what_was_revoked() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let other = stage.second_node().await;
    let issued = stage.now();

    revocations::end_tokens_of_client(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();
    assert!(!is_revoked(&other, &acme, issued));
    gatepost_operations::news::take_up(&other).await.unwrap();
    assert!(is_revoked(&other, &acme, issued));
    assert!(is_revoked(&stage.second_node().await, &acme, issued));
}

#[tokio::test]
async fn a_revocation_is_forgotten_when_its_last_token_has_expired() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    revocations::end_tokens_of_client(&stage.gate, &ACTOR, &acme.client.client_id).await.unwrap();

    stage.pass(Duration::from_secs(86_400 + 61));
    background::rotation::sweep(&stage.gate).await.unwrap();
    assert!(stage.gate.store.revocations(0, Timestamp::from_micros(0), 10).await.unwrap().is_empty());
    assert!(!is_revoked(&stage.second_node().await, &acme, Timestamp::from_micros(0)));
}

#[tokio::test]
async fn a_revoked_token_is_told_to_its_own_api_only() {
    let stage = Stage::with_api().await;
    let ring = stage.gate.ring();
    let ids: Vec<_> = ring.apis().iter().map(|api| api.api.id).collect();
    let expires = stage.now().after(Duration::from_secs(60));

    revocations::revoke_token(&stage.gate, &ACTOR, ids[0], "j-1", expires).await.unwrap();
    let set = stage.gate.revocations.now();
    assert_eq!((set.about(ids[0]).count(), set.about(ids[1]).count()), (1, 0));
}
