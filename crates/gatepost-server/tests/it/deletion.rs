//! This file is where it is shown that tokens end with what they came from: client, partner and API.

use gatepost_core::actor::Actor;
use gatepost_operations::clients::ClientSettings;
use gatepost_operations::{apis, background, clients, news, partners};
use serde_json::json;

use crate::cast::{OURS, our_secret};
use crate::harness::{BOOKINGS, TestServer};
use crate::resource_server::{ResourceServer, token};

const ACTOR: Actor = Actor::System;

#[tokio::test]
async fn a_deleted_client_leaves_no_token_behind_at_any_judge_ever() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let bookings = ResourceServer::of(&server.gate, "bookings").await;
    let node = server.another_server().await;
    news::take_up(&node.gate).await.unwrap();
    let ours = (OURS, our_secret());
    let for_default = token(&server, (ours.0, &ours.1), json!({})).await.text;
    let for_bookings = token(&server, (ours.0, &ours.1), json!({ "resource": BOOKINGS })).await.text;
    assert!(default.accepts(&node, &for_default).await && bookings.accepts(&node, &for_bookings).await);

    // The other node knows the client too, so that it does not look it up afterwards.
    token(&node, (ours.0, &ours.1), json!({})).await;

    // A node that has not heard of it yet may still give a token out: it ends as well.
    clients::delete(&server.gate, &ACTOR, OURS).await.unwrap();
    let late = token(&node, (ours.0, &ours.1), json!({})).await.text;
    news::take_up(&node.gate).await.unwrap();
    for judge in [&server, &node] {
        for token in [&for_default, &late] {
            assert!(!default.accepts(judge, token).await);
        }
        assert!(!bookings.accepts(judge, &for_bookings).await);
    }

    // As long as the token would have lived, sweeping and a restart forget nothing.
    server.clock.advance(59 * 60);
    background::sweeping::sweep(&server.gate).await.unwrap();
    let server = server.restarted().await;
    assert!(!default.accepts(&server, &for_default).await && !default.accepts(&server, &late).await);
    assert!(!bookings.accepts(&server, &for_bookings).await);
}

#[tokio::test]
async fn a_partner_can_only_go_after_its_clients_whose_tokens_stay_dead() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let issued = token(&server, (OURS, &our_secret()), json!({})).await.text;
    let partner = clients::show(&server.gate, OURS).await.unwrap().partner_id.to_string();
    assert!(partners::delete(&server.gate, &ACTOR, &partner).await.is_err(), "it has clients");
    assert!(default.accepts(&server, &issued).await, "nothing happened");

    for client in clients::list(&server.gate, Some(&partner)).await.unwrap() {
        clients::delete(&server.gate, &ACTOR, &client.client_id).await.unwrap();
    }
    partners::delete(&server.gate, &ACTOR, &partner).await.unwrap();
    assert!(!default.accepts(&server, &issued).await);
}

#[tokio::test]
async fn a_deleted_api_answers_nobody_and_its_tokens_pass_nowhere() {
    let server = TestServer::start().await;
    let bookings = ResourceServer::of(&server.gate, "bookings").await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let issued = token(&server, (OURS, &our_secret()), json!({ "resource": BOOKINGS })).await.text;
    assert!(apis::delete(&server.gate, &ACTOR, "bookings").await.is_err(), "it has clients");
    assert!(bookings.accepts(&server, &issued).await, "nothing happened");

    let ring = server.gate.ring();
    let others: Vec<String> = ring
        .apis()
        .iter()
        .map(|api| api.api.name.as_str().to_owned())
        .filter(|name| name == "default")
        .collect();
    for client in clients::list(&server.gate, None).await.unwrap() {
        let settings = ClientSettings {
            apis: Some(others.clone()),
            scopes: Some(vec![]),
            default_scopes: Some(clients::DefaultScopes::All),
            ..ClientSettings::default()
        };
        clients::update(&server.gate, &ACTOR, &client.client_id, settings).await.unwrap();
    }
    assert!(!bookings.accepts(&server, &issued).await, "a client's tokens end with its API");
    apis::delete(&server.gate, &ACTOR, "bookings").await.unwrap();

    assert_eq!(server.send(bookings.question(&issued)).await.status, 401, "it is no API any more");
    assert_eq!(bookings.passes(&server, &issued).await, 403);
    assert!(!default.accepts(&server, &issued).await);
}
