//! This file is where section G is: tokens of the rfc9068 profile, resources, and what is published about them.

use gatepost_core::tokens::profile::Profile;
use serde_json::json;

use crate::asking::{Ask, STANDARD_DOOR, and, credentials};
use crate::cast::{C, PARTNER, S, SPLIT};
use crate::harness::{BOOKINGS, FAST, ISSUER, START, TestServer};
use crate::reply::Token;

fn ask(id: &str, resource: &str) -> Ask {
    Ask::post(STANDARD_DOOR).json(&and(credentials(id, S), json!({ "resource": resource })))
}

async fn token(server: &TestServer, resource: &str) -> Token {
    server.send(ask(C, resource)).await.token()
}

#[tokio::test]
async fn r01_the_header_says_at_jwt_the_algorithm_and_the_key() {
    let server = TestServer::start().await;
    for (name, audience, alg) in [("bookings", BOOKINGS, "ES256"), ("fast", FAST, "EdDSA")] {
        let kid = gatepost_operations::keys::export_public(&server.gate, name).unwrap().kid;
        let token = token(&server, audience).await;
        assert_eq!(token.header, format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#));
        assert_eq!(token.members()["kid"].as_str().unwrap().len(), 43, "a SHA-256 thumbprint");
    }
}

#[tokio::test]
async fn r02_every_claim_that_rfc_9068_requires_is_there() {
    let server = TestServer::start().await;
    let token = token(&server, BOOKINGS).await;
    let names = token.names();
    let expected = ["iss", "aud", "sub", "client_id", "scope", "jti", "iat", "exp", "partner_id", "is_test"];
    assert_eq!(names, expected);
    let claims = token.claims();
    assert_eq!((claims["iss"].as_str(), claims["partner_id"].as_str()), (Some(ISSUER), Some(PARTNER)));
    assert_eq!(token.raw("is_test"), "false");
}

#[tokio::test]
async fn r03_the_audience_is_the_api_that_resource_names() {
    let server = TestServer::start().await;
    assert_eq!(token(&server, BOOKINGS).await.raw("aud"), format!("\"{BOOKINGS}\""));
    assert_eq!(token(&server, FAST).await.raw("aud"), format!("\"{FAST}\""));
}

#[tokio::test]
async fn r03_a_resource_that_is_none_of_the_clients_is_an_invalid_target() {
    let server = TestServer::start().await;
    server.make_api("strange", "EdDSA").await;
    let mut asks: Vec<Ask> = [
        "https://strange.example",
        "https://nobody.example",
        "api",
        &format!("{BOOKINGS}/"),
        &format!("{BOOKINGS}#x"),
    ]
    .map(|resource| ask(C, resource))
    .to_vec();
    let form = crate::asking::form_of(&credentials(C, S));
    asks.push(Ask::post(STANDARD_DOOR).form(&format!("{form}&resource={BOOKINGS}&resource={FAST}")));
    for ask in asks {
        let reply = server.send(ask.clone()).await;
        assert_eq!(reply.outcome(), (400, "invalid_target".to_owned()), "{ask:?}");
    }
    let empty = server.send(ask(C, "")).await.token();
    assert_eq!(empty.members()["typ"], "JWT", "an empty resource is none: the default API");
}

#[tokio::test]
async fn r04_the_subject_is_the_client() {
    let server = TestServer::start().await;
    let token = token(&server, BOOKINGS).await;
    assert_eq!((token.raw("sub"), token.raw("client_id")), (format!("\"{C}\""), format!("\"{C}\"")));
}

#[tokio::test]
async fn r04b_scopes_of_two_audiences_do_not_go_into_one_token() {
    let server = TestServer::start().await;
    let with = |resource: &str, scope: &str| {
        let members = and(credentials(SPLIT, S), json!({ "resource": resource, "scope": scope }));
        Ask::post(STANDARD_DOOR).json(&members)
    };
    let mixed = server.send(with(FAST, "fast:go bookings:create")).await;
    assert_eq!(mixed.outcome(), (400, "invalid_scope".to_owned()));
    assert_eq!(server.send(with(FAST, "fast:go")).await.token().claims()["scope"], "fast:go");
    let by_default = server.send(ask(SPLIT, FAST)).await;
    assert_eq!(by_default.json()["scope"], "fast:go", "the default holds to the audience too");
    assert_eq!(by_default.token().claims()["scope"], "fast:go");
}

#[tokio::test]
async fn r05_the_scope_is_one_text_and_absent_when_there_is_none() {
    let server = TestServer::start().await;
    assert_eq!(token(&server, BOOKINGS).await.claims()["scope"], "bookings:create bookings:delete");
    assert!(token(&server, FAST).await.claims().get("scope").is_none());
}

#[tokio::test]
async fn r06_dates_are_whole_seconds_and_the_jti_begins_with_the_milliseconds() {
    let server = TestServer::start().await;
    server.clock.stop_at(START);
    let token = token(&server, BOOKINGS).await;
    assert_eq!([token.raw("iat"), token.raw("exp")], ["1710220031", "1710223631"]);
    let jti = uuid::Uuid::parse_str(token.claims()["jti"].as_str().unwrap()).unwrap();
    assert_eq!(jti.get_version_num(), 7);
    assert_eq!(jti.as_u128() >> 80, 1_710_220_031_577);
}

#[tokio::test]
async fn r07_keys_have_their_own_kid_an_algorithm_and_a_use() {
    let server = TestServer::start().await;
    let set = server.send(Ask::read("/.well-known/jwks.json")).await.json();
    let keys = set["keys"].as_array().unwrap();
    let mut kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    kids.sort_unstable();
    kids.dedup();
    assert_eq!((keys.len(), kids.len()), (2, 2), "the kid-less API's key is not among them");
    for key in keys {
        assert_eq!(key["use"], "sig");
        assert!(["ES256", "EdDSA"].contains(&key["alg"].as_str().unwrap()));
    }
}

/// How clients may authenticate.
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

#[tokio::test]
async fn r08_the_metadata_are_those_of_rfc_8414() {
    let server = TestServer::start().await;
    let mut metadata = server.send(Ask::read("/.well-known/oauth-authorization-server")).await.json();
    // A key of its own in every state.
    let service_key = metadata.as_object_mut().unwrap().remove("gatepost_service_jwk").unwrap();
    assert_eq!((&service_key["crv"], service_key.get("d")), (&json!("P-256"), None));
    assert_eq!(
        metadata,
        json!({
            "issuer": ISSUER,
            "token_endpoint": "https://auth.example/oauth2/token",
            "jwks_uri": "https://auth.example/.well-known/jwks.json",
            "scopes_supported": ["*", "admin", "bookings:create", "bookings:delete", "fast:go", "read", "write"],
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": METHODS,
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
            "introspection_endpoint": "https://auth.example/oauth2/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
            "introspection_signing_alg_values_supported": ["ES256"],
            "revocation_endpoint": "https://auth.example/oauth2/revoke",
            "revocation_endpoint_auth_methods_supported": METHODS,
            "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
            "service_documentation": "https://auth.example/docs",
        })
    );
}

#[tokio::test]
async fn the_profile_is_a_property_of_the_api_at_both_doors() {
    let server = TestServer::start().await;
    let shown = gatepost_operations::apis::show(&server.gate, "default").unwrap();
    assert_eq!(shown.profile, Profile::Passport(Default::default()).as_str());
    let without_resource = server.send(Ask::post(STANDARD_DOOR).json(&credentials(C, S))).await.token();
    assert_eq!(without_resource.members()["typ"], "JWT");
    let ignored = and(credentials(C, S), json!({ "resource": BOOKINGS, "audience": BOOKINGS }));
    let at_origin = server.send(Ask::post(crate::asking::ORIGIN).json(&ignored)).await.token();
    assert_eq!(at_origin.members()["typ"], "JWT", "the origin door ignores resource");
}

#[tokio::test]
async fn a_token_lives_as_long_as_its_client_was_given() {
    let server = TestServer::start().await;
    let id = gatepost_core::clients::ClientId::parse(C).unwrap();
    let found = server.gate.store().client_record(&id).await.unwrap().unwrap();
    let lifetime = gatepost_core::time::Lifetime::from_seconds(90).unwrap();
    let client = gatepost_core::clients::Client { lifetime, ..found.client };
    server.apply(vec![gatepost_core::change::Change::ClientUpdated(client)]).await;
    server.clock.stop_at(START);

    for (resource, exp) in [(BOOKINGS, "1710220121"), ("", "1710220121.577478")] {
        let reply = server.send(ask(C, resource)).await;
        assert_eq!(
            (reply.json()["expires_in"].as_u64(), reply.token().raw("exp")),
            (Some(90), exp.to_owned())
        );
    }
}
