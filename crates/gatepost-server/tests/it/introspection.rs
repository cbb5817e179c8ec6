//! This file is where it is shown what an API learns of a token: all of its own good ones, nothing of any other.

use gatepost_core::actor::Actor;
use gatepost_guard::FEED_TYP;
use gatepost_jose::{PublicKey, statement};
use gatepost_operations::service::{self, Statement};
use gatepost_operations::{api_secrets, clients};
use serde_json::{Value, json};

use crate::asking::Ask;
use crate::cast::{C, OURS, PARTNER, S, USER, our_secret};
use crate::harness::{BOOKINGS, ISSUER, TestServer};
use crate::resource_server::{ResourceServer, token};

#[tokio::test]
async fn an_active_token_is_told_in_full_in_both_profiles() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let issued = token(&server, (C, S), json!({})).await;
    let claims = issued.claims();

    let told = default.told(&server, &issued.text).await;
    let seconds = |name: &str| claims[name].as_f64().unwrap().floor() as i64;
    let expected = json!({
        "active": true, "client_id": C, "scope": "bookings:create bookings:delete", "exp": seconds("exp"),
        "iat": seconds("iat"), "nbf": seconds("nbf"), "sub": "", "aud": C, "jti": claims["jti"],
        "token_type": "Bearer", "partner_id": PARTNER, "user_id": USER, "is_test": false,
    });
    assert_eq!(told, expected);

    let bookings = ResourceServer::of(&server.gate, "bookings").await;
    let issued = token(&server, (C, S), json!({ "resource": BOOKINGS, "scope": "bookings:create" })).await;
    let claims = issued.claims();
    let told = bookings.told(&server, &issued.text).await;
    let mut expected = json!({
        "active": true, "client_id": C, "scope": "bookings:create", "exp": claims["exp"], "iat": claims["iat"],
        "sub": C, "aud": BOOKINGS, "iss": ISSUER, "jti": claims["jti"], "token_type": "Bearer",
        "partner_id": PARTNER, "is_test": false,
    });
    if let Some(nbf) = claims.get("nbf") {
        expected["nbf"] = nbf.clone();
    }
    assert_eq!(told, expected);
}

#[tokio::test]
async fn nothing_is_told_of_a_token_for_another_api() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let bookings = ResourceServer::of(&server.gate, "bookings").await;
    let for_default = token(&server, (C, S), json!({})).await.text;
    let for_bookings = token(&server, (C, S), json!({ "resource": BOOKINGS })).await.text;

    assert!(default.accepts(&server, &for_default).await && bookings.accepts(&server, &for_bookings).await);
    assert!(!default.accepts(&server, &for_bookings).await && !bookings.accepts(&server, &for_default).await);
}

#[tokio::test]
async fn only_an_api_with_a_live_secret_is_answered() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let bookings = ResourceServer::of(&server.gate, "bookings").await;
    let good = token(&server, (C, S), json!({})).await.text;
    let form = format!("token={good}");
    let question = |id: &str, secret: &str| Ask::post("/oauth2/introspect").basic(id, secret).form(&form);
    assert_eq!(server.send(question(&default.id, &default.secret)).await.status, 200);

    let unknown = "11111111-1111-4111-8111-111111111111";
    let twice = question(&default.id, &default.secret).basic(&default.id, &default.secret);
    let mut refused = vec![
        question(&default.id, "wrong"),
        question(&default.id, &bookings.secret),
        question(unknown, &default.secret),
        question(C, S),
        question("", ""),
        question("default", &default.secret),
        twice,
        Ask::post("/oauth2/introspect")
            .form(&format!("client_id={}&client_secret={}&{form}", default.id, default.secret)),
        Ask::post("/oauth2/introspect").header("authorization", &format!("Bearer {good}")).form(&form),
    ];
    let secret = api_secrets::list(&server.gate, "default").await.unwrap()[0].secret_id;
    api_secrets::end(&server.gate, &Actor::System, "default", secret, true).await.unwrap();
    refused.push(question(&default.id, &default.secret));

    let mut seen = Vec::new();
    for ask in refused {
        let reply = server.send(ask).await;
        assert_eq!(reply.outcome(), (401, "invalid_client".to_owned()));
        assert_eq!(reply.header("www-authenticate"), Some(r#"Basic realm="OAuth""#));
        seen.push(reply.bytes_seen());
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "they can be told apart");
}

#[tokio::test]
async fn only_forms_with_one_token_are_read() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let good = token(&server, (C, S), json!({})).await.text;
    let ask = || Ask::post("/oauth2/introspect").basic(&default.id, &default.secret);
    for refused in [
        ask().json(&json!({ "token": good })),
        ask().body("multipart/form-data; boundary=X", "--X--"),
        ask().body("", format!("token={good}")),
        ask().form(&format!("token={good}&token={good}")),
        ask().form("token="),
        ask().form("token_type_hint=access_token"),
        ask().form(""),
    ] {
        let reply = server.send(refused).await;
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()));
    }
    let hinted = server.send(ask().form(&format!("token={good}&token_type_hint=refresh_token&x=y"))).await;
    assert_eq!(
        (hinted.json()["active"].clone(), hinted.header("cache-control")),
        (Value::Bool(true), Some("no-store"))
    );
    let get = server.send(Ask::read("/oauth2/introspect").basic(&default.id, &default.secret)).await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
}

fn service_key(server: &TestServer) -> PublicKey {
    PublicKey::from_jwk(&service::public_key(&server.gate).unwrap()).unwrap()
}

#[tokio::test]
async fn a_signed_answer_is_one_on_request_and_no_token() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let good = token(&server, (C, S), json!({})).await.text;
    let accept = "application/token-introspection+jwt";
    for (subject, accepted) in [
        (good.as_str(), accept),
        ("garbage", "application/json;q=0.5, application/Token-Introspection+JWT ;q=0.9"),
    ] {
        let plain = default.told(&server, subject).await;
        let reply = server.send(default.question(subject).header("accept", accepted)).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(accept)));

        let claims = statement::open(reply.text(), "token-introspection+jwt", &service_key(&server)).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(default.id)));
        assert_eq!(claims["token_introspection"], plain);
        let now = server.gate.clock.now().seconds();
        assert!((now - 5..=now).contains(&claims["iat"].as_i64().unwrap()));
        assert_eq!(claims.as_object().unwrap().len(), 4);

        assert!(!default.accepts(&server, reply.text()).await, "an answer is no token");
        assert!(statement::open(&good, "token-introspection+jwt", &service_key(&server)).is_err());
    }
    for accepted in ["*/*", "application/json", "application/token-introspection+jwt;q=0", "application/jwt"]
    {
        let reply = server.send(default.question(&good).header("accept", accepted)).await;
        assert_eq!(reply.header("content-type"), Some("application/json"), "{accepted}");
    }
}

#[tokio::test]
async fn the_types_of_statements_are_those_that_followers_look_for() {
    assert_eq!(Statement::RevocationFeed.typ(), FEED_TYP);
    assert_eq!(Statement::IntrospectionAnswer.typ(), "token-introspection+jwt");
}

#[tokio::test]
async fn metadata_name_the_endpoints_and_the_service_key() {
    let server = TestServer::start().await;
    let metadata = server.send(Ask::read("/.well-known/oauth-authorization-server")).await.json();
    assert_eq!(metadata["introspection_endpoint"], format!("{ISSUER}/oauth2/introspect"));
    assert_eq!(metadata["revocation_endpoint"], format!("{ISSUER}/oauth2/revoke"));
    assert_eq!(metadata["introspection_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
    assert_eq!(metadata["introspection_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(metadata["gatepost_service_jwk"]["kid"], service_key(&server).kid().as_str());

    let keys = server.send(Ask::read("/.well-known/jwks.json")).await;
    assert!(!keys.text().contains(service_key(&server).kid().as_str()), "it is in no API's key set");
}

#[tokio::test]
async fn a_node_that_has_lost_its_store_calls_nothing_active_after_a_second() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let good = token(&server, (OURS, &our_secret()), json!({})).await.text;
    assert!(default.accepts(&server, &good).await);

    server.gate.close().await;
    server.clock.advance(2);
    let reply = server.send(default.question(&good)).await;
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(reply.header("retry-after"), Some("1"));

    // A proxy is still answered by what is known, until the grace is over.
    assert_eq!(default.passes(&server, &good).await, 200);
    server.clock.advance(601);
    assert_eq!(default.passes(&server, &good).await, 403);
}

#[tokio::test]
async fn the_tokens_of_an_api_that_was_made_while_the_server_runs_are_judged() {
    let server = TestServer::start().await;
    let id = server.make_api("late", "EdDSA").await;
    let late = ResourceServer::of(&server.gate, "late").await;
    assert_eq!(late.id, id.0.to_string());
    let settings = clients::ClientSettings {
        apis: Some(vec!["late".into()]),
        scopes: Some(Vec::new()),
        ..Default::default()
    };
    clients::update(&server.gate, &Actor::System, OURS, settings).await.unwrap();
    server.clock.advance(2);
    let good = token(&server, (OURS, &our_secret()), json!({})).await.text;
    assert!(late.accepts(&server, &good).await);
}
