//! This file is where hostile requests are sent to introspection, revocation and forward-auth, row by row.

use gatepost_core::actor::Actor;
use gatepost_operations::{clients, keys, revocations, routes};
use serde_json::json;

use crate::asking::{Ask, basic};
use crate::cast::{AWKWARD, AWKWARD_SECRET, C, INTEGER, OURS, S, our_secret};
use crate::harness::{BOOKINGS, TestServer};
use crate::hostile::{Names, Row, rows};
use crate::reply::Reply;
use crate::resource_server::{ResourceServer, damaged, signed, token, with_claims};

/// A server with a route table, and what stands for the names in braces.
struct Stage {
    server: TestServer,
    names: Names,
    api: ResourceServer,
    live: String,
}

async fn stage() -> Stage {
    let server = TestServer::start().await;
    let gate = &server.gate;
    let retired = of_a_retired_key(&server).await;
    for (method, path, scope) in [
        ("GET", "/public", None),
        ("*", "/orders", Some("read")),
        ("DELETE", "/orders", Some("write")),
        ("*", "/admin", Some("admin")),
    ] {
        let scopes: Vec<_> = scope.into_iter().map(str::to_owned).collect();
        routes::add(gate, &Actor::System, "default", (method, path), &scopes).await.unwrap();
    }
    let api = ResourceServer::of(gate, "default").await;
    let secret = our_secret();
    let ours = (OURS, secret.as_str());
    let live = token(&server, ours, json!({})).await;
    let revoked = token(&server, ours, json!({})).await.text;
    let form = format!("token={revoked}");
    assert_eq!(server.send(Ask::post("/oauth2/revoke").basic(OURS, &secret).form(&form)).await.status, 200);

    let expired = with_claims(gate, "default", &live, |claims| {
        for name in ["iat", "nbf", "exp"] {
            claims[name] = json!(claims[name].as_f64().unwrap().floor() - 7_200.0);
        }
    });
    let bound = with_claims(gate, "default", &live, |claims| claims["cnf"] = json!({ "jkt": "AAAA" }));
    let huge = format!("{}.{}.AAAA", "e30", "A".repeat(80_000));
    let pair = |id: &str, secret: &str| basic(id, secret).trim_start_matches("Basic ").to_owned();
    let names = vec![
        ("{TOKEN}", live.text.clone()),
        ("{REVOKED_TOKEN}", revoked),
        ("{EXPIRED_TOKEN}", expired),
        ("{TOKEN_AUD_OTHER}", token(&server, ours, json!({ "resource": BOOKINGS })).await.text),
        ("{TOKEN_SCOPE_LOW}", token(&server, ours, json!({ "scope": "write" })).await.text),
        ("{TOKEN_PUBLIC_ONLY}", token(&server, ours, json!({ "scope": "write" })).await.text),
        ("{TOKEN_READ_ONLY}", token(&server, ours, json!({ "scope": "read" })).await.text),
        ("{TOKEN_DPOP_BOUND}", bound),
        ("{TOKEN_SUSPENDED}", of_a_suspended_client(&server).await),
        ("{TOKEN_BEFORE_NBF}", of_a_client_whose_tokens_ended(&server).await),
        ("{TOKEN_RETIRED_KEY}", retired),
        ("{TOKEN_FLIP}", damaged(&live)),
        ("{TOKEN_FORGED_LIVE_JTI}", damaged(&live)),
        ("{TOKEN_JTI_HUGE_FORGED}", huge),
        ("{CLIENT_SECRET}", secret.clone()),
        ("{BASIC}", pair(OURS, &secret)),
        ("{BASIC_WRONG}", pair(OURS, "wrong")),
        ("{RS_BASIC}", pair(&api.id, &api.secret)),
        ("{RS_BASIC_WRONG}", pair(&api.id, "wrong")),
        ("{70000 TIMES a}", "a".repeat(70_000)),
    ];
    Stage { names: Names(names), api, live: live.text, server }
}

async fn of_a_retired_key(server: &TestServer) -> String {
    let (gate, system) = (&server.gate, &Actor::System);
    let retired = token(server, (C, S), json!({})).await.text;
    let kid = gate.ring().keys_of(server.api("default")).unwrap().signer.key.kid().to_string();
    keys::rotate(gate, system, "default", false).await.unwrap();
    keys::promote(gate, system, "default", true).await.unwrap();
    keys::retire(gate, system, &kid, true).await.unwrap();
    retired
}

async fn of_a_suspended_client(server: &TestServer) -> String {
    let text = token(server, (INTEGER, S), json!({})).await.text;
    clients::suspend(&server.gate, &Actor::System, INTEGER).await.unwrap();
    text
}

async fn of_a_client_whose_tokens_ended(server: &TestServer) -> String {
    let text = token(server, (AWKWARD, AWKWARD_SECRET), json!({})).await.text;
    revocations::end_tokens_of_client(&server.gate, &Actor::System, AWKWARD).await.unwrap();
    text
}

impl Stage {
    /// Sends every row of a surface; what it brings must be expected and must hold for all answers.
    async fn play(&self, surface: &str, change: impl Fn(&Row, Ask) -> Ask) -> Vec<(Row, Reply)> {
        let mut complaints = Vec::new();
        let mut played = Vec::new();
        for row in rows(surface) {
            let reply = self.server.send(change(&row, row.ask(&self.names))).await;
            self.holds(&row, &reply);
            if !row.is_expected(&reply) {
                complaints.push(format!("{} {}: {} {}", row.id, row.description, reply.status, reply.text()));
            }
            played.push((row, reply));
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        played
    }

    fn holds(&self, row: &Row, reply: &Reply) {
        assert!(reply.status < 500, "{}: {}", row.id, reply.status);
        let headers = format!("{:?}", reply.headers);
        for (name, value) in &self.names.0 {
            assert!(
                !reply.text().contains(value) && !headers.contains(value),
                "{} gives {name} back",
                row.id
            );
        }
        assert!(reply.header("cache-control").is_some_and(|value| value.contains("no-store")), "{}", row.id);
        assert_eq!(
            reply.header("www-authenticate").is_some(),
            [401].contains(&reply.status) || is_low(reply),
            "{}",
            row.id
        );
    }
}

/// A token that lacks a scope is challenged too (RFC 6750 section 3.1).
fn is_low(reply: &Reply) -> bool {
    reply.status == 403 && reply.outcome().1 == "insufficient_scope"
}

#[tokio::test]
async fn introspection_answers_every_hostile_request_as_expected() {
    let stage = stage().await;
    let played = stage.play("introspect", |_, ask| ask).await;
    for (row, reply) in &played {
        match row.id.as_str() {
            "I020" => assert_eq!(reply.json()["active"], true),
            "I024" => assert_eq!(reply.header("content-type"), Some("application/token-introspection+jwt")),
            id if reply.status == 200 => assert_eq!(reply.text(), r#"{"active":false}"#, "{id}"),
            _ => {}
        }
    }
    assert_eq!(played.len(), 17);
}

#[tokio::test]
async fn revocation_answers_every_hostile_request_as_expected() {
    let stage = stage().await;
    let before = stage.server.gate.store().head().await.unwrap();
    let played = stage.play("revoke", |_, ask| ask).await;
    assert_eq!(stage.server.gate.store().head().await.unwrap(), before, "no row is stored");
    assert_eq!(
        stage.api.told(&stage.server, &stage.live).await["active"],
        true,
        "no row revokes the live token"
    );
    assert_eq!(played.len(), 7);
}

#[tokio::test]
async fn forward_auth_answers_every_hostile_request_as_expected() {
    let stage = stage().await;
    let configured = |row: &Row, ask: Ask| match row.id.as_str() {
        // Its store is away for longer than the grace; it is played below.
        "F049" => Ask { path: "/forward-auth".into(), ..ask },
        _ => Ask { path: "/forward-auth?api=default".into(), ..ask },
    };
    let played = stage.play("forward-auth", configured).await;
    for (row, reply) in &played {
        assert!([200, 401, 403].contains(&reply.status), "{}", row.id);
        for name in ["x-partner-id", "x-client-id", "x-scopes", "x-is-test"] {
            assert_eq!(reply.header(name).is_some(), reply.status == 200, "{} {name}", row.id);
        }
        match row.id.as_str() {
            "F001" => assert_eq!(reply.header("www-authenticate"), Some(r#"Bearer realm="default""#)),
            "F009" => assert_eq!(reply.header("x-client-id"), Some(OURS)),
            _ => {}
        }
    }
    assert_eq!(played.len(), 36);

    stage.server.gate.close().await;
    stage.server.clock.advance(601);
    let row = rows("forward-auth").into_iter().find(|row| row.id == "F049").unwrap();
    let reply = stage.server.send(configured(&rows("forward-auth")[0], row.ask(&stage.names))).await;
    assert!(row.is_expected(&reply), "{}", reply.status);
}

#[tokio::test]
async fn a_token_without_a_signature_of_the_api_is_nothing_wherever_it_is_shown() {
    let stage = stage().await;
    let header = r#"{"typ":"JWT","alg":"RS256"}"#;
    let of_another = signed(&stage.server.gate, "default", header, r#"{"sub":"x"}"#);
    assert!(!stage.api.accepts(&stage.server, &of_another).await);
}
