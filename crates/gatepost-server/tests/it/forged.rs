//! This file is where it is counted what a forged token costs the server: signature checks, at each door that is asked
//! about tokens, with 25 APIs and as many keys as readers try.

use std::sync::Arc;

use axum::Router;
use gatepost_core::actor::Actor;
use gatepost_core::secret::Secret;
use gatepost_jose::sign::SigningInput;
use gatepost_jose::{Algorithm, RsaBits, SigningKey, sign};
use gatepost_operations::apis::{self, CreateApi};
use gatepost_operations::keys;
use gatepost_server::both_routes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::asking::{Ask, form_of};
use crate::cast::{C, S};
use crate::harness::{BOOKINGS, TestServer, edge_over};
use crate::reply::Token;
use crate::resource_server::{ResourceServer, damaged, private_pem, token};

const APIS: usize = 25;

/// A server with many APIs, and the page that counts what it does.
struct House {
    server: TestServer,
    admin: Router,
    default: ResourceServer,
}

impl House {
    async fn start() -> Self {
        let mut server = TestServer::patient().await;
        let (public, admin) = both_routes(Arc::clone(&server.gate));
        server.edge = edge_over(&server.gate, public);
        for number in server.gate.ring().apis().len()..APIS {
            // Three more whose tokens have no `kid`, with a key each.
            let profile = if number % 8 == 0 { "passport" } else { "rfc9068" };
            let request = CreateApi {
                name: format!("api-{number}"),
                audience: format!("https://api-{number}.example"),
                profile: Some(profile.to_owned()),
                ..CreateApi::default()
            };
            apis::create(&server.gate, &Actor::System, request).await.unwrap();
        }
        let default = ResourceServer::of(&server.gate, "default").await;
        Self { server, admin, default }
    }

    async fn checks(&self) -> u64 {
        let answer = self.admin.clone().oneshot(Ask::read("/metrics").into_request()).await.unwrap();
        let page = answer.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8(page.to_vec()).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix("gatepost_token_signature_checks_total "));
        line.unwrap().parse().unwrap()
    }

    /// How many signatures are checked for the token at each door: introspection, forward-auth, revocation.
    async fn cost(&self, token: &str) -> [u64; 3] {
        let form = form_of(&json!({ "token": token }));
        let mut costs = [0; 3];
        for (cost, ask) in costs.iter_mut().zip([
            self.default.question(token),
            self.default.proxied(token),
            Ask::post("/oauth2/revoke").basic(C, S).form(&form),
        ]) {
            let before = self.checks().await;
            self.server.send(ask).await;
            *cost = self.checks().await - before;
        }
        costs
    }

    /// A token of the API `default`, whose `jti` names its key.
    async fn of_default(&self) -> Token {
        token(&self.server, (C, S), json!({})).await
    }

    async fn rotate(&self) {
        keys::rotate(&self.server.gate, &Actor::System, "default", false).await.unwrap();
        keys::promote(&self.server.gate, &Actor::System, "default", true).await.unwrap();
    }
}

/// The three parts as a token again.
fn joined(token: &Token) -> String {
    sign::finish(SigningInput::new(&token.header).with_claims(token.payload.as_bytes()), &token.signature)
}

/// The token with another `jti`, under a signature that was made for something else.
fn with_id(token: &Token, id: &str) -> String {
    let mut other = Token::split(&damaged(token));
    other.payload = other.payload.replace(token.claims()["jti"].as_str().unwrap(), id);
    joined(&other)
}

#[tokio::test]
async fn a_forged_token_costs_one_check_at_most_at_every_door() {
    let house = House::start().await;
    let mut of_each_key = vec![house.of_default().await];
    for _ in 0..3 {
        house.rotate().await;
        of_each_key.push(house.of_default().await);
    }
    assert_eq!(house.server.gate.ring().keys_of(house.server.api("default")).unwrap().verifying.len(), 4);

    for token in &of_each_key {
        assert_eq!(house.cost(&damaged(token)).await, [1, 1, 1], "by the key that it names");
    }
    let nobody = with_id(&of_each_key[0], &"5a".repeat(40));
    assert_eq!(house.cost(&nobody).await, [0, 0, 0], "every key here is named in its tokens");

    let named = token(&house.server, (C, S), json!({ "resource": BOOKINGS })).await;
    assert_eq!(house.cost(&damaged(&named)).await, [0, 0, 1], "by `kid`; the API `default` has no such key");
    let mut unknown = Token::split(&damaged(&named));
    let kid = serde_json::from_str::<Value>(&unknown.header).unwrap()["kid"].as_str().unwrap().to_owned();
    unknown.header = unknown.header.replace(&kid, "nobody-s");
    for garbage in [joined(&unknown).as_str(), "a.b.c", "garbage", "...."] {
        assert_eq!(house.cost(garbage).await, [0, 0, 0], "{garbage}");
    }

    for token in &of_each_key {
        let told = house.default.told(&house.server, &token.text).await;
        assert_eq!(told["active"], true, "no good token is refused for it");
    }
}

#[tokio::test]
async fn a_good_token_costs_one_check_whichever_key_signed_it_and_is_revoked_at_its_api() {
    let house = House::start().await;
    let old = house.of_default().await;
    house.rotate().await;
    house.rotate().await;
    let before = house.checks().await;
    assert!(house.default.accepts(&house.server, &old.text).await);
    assert_eq!(house.checks().await - before, 1, "it is remembered for the second judge");

    assert_eq!(
        house.cost(&old.text).await,
        [0, 0, 0],
        "given back by its client, found where it was remembered"
    );
    assert!(!house.default.accepts(&house.server, &old.text).await);
}

#[tokio::test]
async fn a_key_from_elsewhere_costs_a_token_without_kid_one_check_more() {
    let house = House::start().await;
    let ours = house.of_default().await;
    let elsewhere = SigningKey::generate(Algorithm::Rs256, RsaBits::B2048).unwrap();
    let gate = &house.server.gate;
    keys::import(gate, &Actor::System, "default", &Secret::new(private_pem(&elsewhere))).await.unwrap();

    // Written by the issuer that had the key before, which writes ids of its own.
    let claims = ours.payload.replace(ours.claims()["jti"].as_str().unwrap(), &"7b".repeat(40));
    let theirs = sign::compact(&elsewhere, &ours.header, &claims).unwrap();
    assert!(house.default.accepts(&house.server, &theirs).await, "also before the key signs here");

    for promoted in [false, true] {
        if promoted {
            keys::promote(gate, &Actor::System, "default", true).await.unwrap();
        }
        assert_eq!(house.cost(&damaged(&ours)).await, [1, 1, 1]);
        assert_eq!(house.cost(&damaged(&Token::split(&theirs))).await, [1, 1, 1]);
    }
    let by_imported = house.of_default().await;
    assert!(house.default.accepts(&house.server, &by_imported.text).await);
    assert!(house.default.accepts(&house.server, &ours.text).await);
    assert!(house.default.accepts(&house.server, &theirs).await);
}
