//! This file is where it is asked for exactly one client authentication a request, and at which door.

use gatepost_core::clients::methods::private_key_jwt::ASSERTION_TYPE;
use serde_json::{Value, json};

use super::{Signer, members, send, server_knowing};
use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, and, credentials, form_of, without};
use crate::cast::{C, S};
use crate::harness::TestServer;

async fn outcome(server: &TestServer, members: &Value) -> (u16, String) {
    server.send(Ask::post(STANDARD_DOOR).form(&form_of(members))).await.outcome()
}

fn invalid_request() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

#[tokio::test]
async fn two_methods_are_one_too_many_and_use_nothing_up() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let assertion = signer.assertion(&server, "1");
    let members = members(&assertion);

    let with_basic = Ask::post(STANDARD_DOOR).basic(C, S).form(&form_of(&members));
    assert_eq!(server.send(with_basic).await.outcome(), invalid_request(), "Basic and assertion");
    let with_secret = and(members.clone(), credentials(C, S));
    assert_eq!(outcome(&server, &with_secret).await, invalid_request(), "secret and assertion");
    let all = Ask::post(STANDARD_DOOR).basic(C, S).form(&form_of(&with_secret));
    assert_eq!(server.send(all).await.outcome(), invalid_request(), "all three");
    let twice = format!("{}&client_assertion={assertion}", form_of(&members));
    let twice = server.send(Ask::post(STANDARD_DOOR).form(&twice)).await;
    assert_eq!(twice.outcome(), invalid_request(), "the assertion twice");

    send(&server, &assertion).await.token();
}

#[tokio::test]
async fn t144_assertion_and_type_come_together() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let members = members(&signer.assertion(&server, "1"));
    assert_eq!(outcome(&server, &without(members.clone(), "client_assertion_type")).await, invalid_request());
    assert_eq!(outcome(&server, &without(members.clone(), "client_assertion")).await, invalid_request());
    for other in [
        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        "urn:ietf:params:oauth:client-assertion-type:JWT-bearer",
        "jwt-bearer",
    ] {
        let members = and(members.clone(), json!({ "client_assertion_type": other }));
        assert_eq!(outcome(&server, &members).await, (401, "invalid_client".to_owned()), "{other}");
    }
    let empty = json!({ "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": "" });
    assert_eq!(outcome(&server, &empty).await, invalid_request(), "empty is omitted");
    let number = and(members, json!({ "client_assertion": 7 }));
    let reply = server.send(Ask::post(STANDARD_DOOR).json(&number)).await;
    assert_eq!(reply.outcome(), invalid_request());
}

#[tokio::test]
async fn the_origin_door_knows_no_assertions() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let members = members(&signer.assertion(&server, "1"));
    assert_eq!(server.send(Ask::post(ORIGIN).json(&members)).await.outcome(), invalid_request());
    let named = and(members.clone(), json!({ "client_id": C }));
    let reply = server.send(Ask::post(ORIGIN).json(&named)).await;
    assert_eq!(reply.outcome(), (401, "invalid_client".to_owned()));
    server.send(Ask::post(ORIGIN).json(&and(members, credentials(C, S)))).await.token();
}

#[tokio::test]
async fn the_metadata_say_how_clients_may_sign() {
    let server = TestServer::start().await;
    let metadata = server.send(Ask::read("/.well-known/oauth-authorization-server")).await.json();
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("private_key_jwt")));
    let algorithms = &metadata["token_endpoint_auth_signing_alg_values_supported"];
    assert_eq!(*algorithms, json!(["RS256", "PS256", "ES256", "EdDSA"]));
}
