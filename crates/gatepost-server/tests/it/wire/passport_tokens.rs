//! This file is where section F is: tokens of the passport profile, byte for byte.

use std::collections::HashSet;
use std::sync::Arc;

use gatepost_core::actor::Actor;
use gatepost_core::tokens::profile::{Sub, Timestamps};
use gatepost_operations::apis::{self, PassportChoices, UpdateApi};
use serde_json::json;

use super::granted;
use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, and, credentials};
use crate::cast::{C, INTEGER, PARTNER, PLAIN, S, USER};
use crate::harness::{FAST, START, TestServer};
use crate::reply::Token;

fn ask() -> Ask {
    Ask::post(ORIGIN).json(&credentials(C, S))
}

async fn token(server: &TestServer) -> Token {
    granted(&server.send(ask()).await)
}

async fn choose(server: &TestServer, passport: PassportChoices) {
    let request = UpdateApi { passport, ..UpdateApi::default() };
    apis::update(&server.gate, &Actor::System, "default", request).await.unwrap();
}

#[tokio::test]
async fn t01_the_header_is_the_origin_pages_to_the_byte() {
    let server = TestServer::start().await;
    for door in [ORIGIN, STANDARD_DOOR] {
        let token = server.send(Ask { path: door.into(), ..ask() }).await.token();
        assert!(token.text.starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9."));
        assert_eq!(token.header, r#"{"typ":"JWT","alg":"RS256"}"#);
    }
}

#[tokio::test]
async fn t02_the_claims_are_the_origin_pages_in_their_order_and_types() {
    let server = TestServer::start().await;
    let token = token(&server).await;
    let (jti, iat, nbf, exp) = (token.raw("jti"), token.raw("iat"), token.raw("nbf"), token.raw("exp"));
    assert_eq!(
        token.payload,
        format!(
            r#"{{"aud":"{C}","jti":{jti},"iat":{iat},"nbf":{nbf},"exp":{exp},"sub":"","scopes":["bookings:create","bookings:delete"],"user_id":"{USER}","partner_id":"{PARTNER}","is_test":false}}"#
        )
    );
}

#[tokio::test]
async fn t03_the_audience_is_the_client_as_one_text() {
    let server = TestServer::start().await;
    assert_eq!(token(&server).await.raw("aud"), format!("\"{C}\""));
}

#[tokio::test]
async fn t04_the_jti_is_forty_random_bytes_in_lower_case_hex() {
    let server = TestServer::start().await;
    let jti = token(&server).await.claims()["jti"].as_str().unwrap().to_owned();
    assert_eq!(jti.len(), 80);
    assert!(jti.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    assert_ne!(jti[..12], token(&server).await.claims()["jti"].as_str().unwrap()[..12]);
}

#[tokio::test]
async fn t05_dates_are_numbers_with_microseconds_and_without_trailing_zeros() {
    let server = TestServer::start().await;
    let rows = [
        (1_795_384_252_001_740, "1795384252.00174", "1795387852.00174"),
        (1_795_384_252_277_000, "1795384252.277", "1795387852.277"),
        (1_795_384_252_000_000, "1795384252", "1795387852"),
        (1_795_384_252_000_001, "1795384252.000001", "1795387852.000001"),
    ];
    for (now, iat, exp) in rows {
        server.clock.stop_at(now);
        let token = token(&server).await;
        assert_eq!((token.raw("iat").as_str(), token.raw("exp").as_str()), (iat, exp));
    }
}

#[tokio::test]
async fn t06_the_expiry_is_counted_from_the_request_and_iat_and_nbf_follow() {
    let server = TestServer::start().await;
    let micros = |text: String| {
        let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
        format!("{seconds}{fraction:0<6}").parse::<i64>().unwrap()
    };
    let token = token(&server).await;
    let started = micros(token.raw("exp")) - 3_600_000_000;
    let (iat, nbf) = (micros(token.raw("iat")), micros(token.raw("nbf")));
    assert!(started >= START && iat > started && nbf > iat, "{started} {iat} {nbf}");
    assert!(nbf - iat <= 5);
}

#[tokio::test]
async fn t07_sub_is_empty_or_the_client_as_the_api_chose() {
    let server = TestServer::start().await;
    assert_eq!(token(&server).await.raw("sub"), r#""""#);

    choose(&server, PassportChoices { sub: Some(Sub::ClientId), ..PassportChoices::default() }).await;
    assert_eq!(token(&server).await.raw("sub"), format!("\"{C}\""));
}

#[tokio::test]
async fn t07b_an_integer_id_does_not_get_into_sub_unless_that_is_allowed() {
    let server = TestServer::start().await;
    let integer = || Ask::post(ORIGIN).json(&credentials(INTEGER, S));
    granted(&server.send(integer()).await);

    choose(&server, PassportChoices { sub: Some(Sub::ClientId), ..PassportChoices::default() }).await;
    assert_eq!(server.send(integer()).await.outcome(), (401, "invalid_client".to_owned()));
    let standard = Ask { path: STANDARD_DOOR.into(), ..integer() };
    assert_eq!(server.send(standard).await.outcome(), (400, "unauthorized_client".to_owned()));

    choose(&server, PassportChoices { allow_integer_sub: Some(true), ..PassportChoices::default() }).await;
    assert_eq!(granted(&server.send(integer()).await).raw("sub"), r#""17""#);
}

#[tokio::test]
async fn t08_scopes_are_a_list_of_texts() {
    let server = TestServer::start().await;
    let none = granted(&server.send(Ask::post(ORIGIN).json(&credentials(PLAIN, S))).await);
    assert_eq!(none.raw("scopes"), "[]");
    assert_eq!(token(&server).await.raw("scopes"), r#"["bookings:create","bookings:delete"]"#);
}

#[tokio::test]
async fn t09_is_test_is_a_boolean() {
    let server = TestServer::start().await;
    assert_eq!(token(&server).await.raw("is_test"), "false");

    let id = gatepost_core::clients::ClientId::parse(C).unwrap();
    let found = server.gate.store().client_record(&id).await.unwrap().unwrap();
    let test = gatepost_core::clients::Client { is_test: true, ..found.client };
    server.apply(vec![gatepost_core::change::Change::ClientUpdated(test)]).await;
    assert_eq!(token(&server).await.raw("is_test"), "true");
}

#[tokio::test]
async fn t10_the_signature_of_a_first_start_is_512_bytes_without_padding() {
    let server = TestServer::start().await;
    let token = token(&server).await;
    assert_eq!(token.signature.len(), 512);
    assert!(!token.text.contains(['=', '+', '/']));
}

#[tokio::test]
async fn t11_slashes_and_other_scripts_stand_unescaped() {
    let server = TestServer::start().await;
    apis::create_scope(&server.gate, &Actor::System, "default", "a/b", "").await.unwrap();
    let id = gatepost_core::clients::ClientId::parse(C).unwrap();
    let found = server.gate.store().client_record(&id).await.unwrap().unwrap();
    let scopes = gatepost_core::scope::Scopes::parse("a/b").unwrap();
    let client = gatepost_core::clients::Client { scopes, ..found.client };
    server.apply(vec![gatepost_core::change::Change::ClientUpdated(client)]).await;

    assert_eq!(token(&server).await.raw("scopes"), r#"["a/b"]"#);
}

#[tokio::test]
async fn t12_another_library_accepts_the_token_at_the_very_moment_without_leeway() {
    let server = TestServer::start().await;
    let key = apis_key(&server);
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.validate_exp = false;
    validation.leeway = 0;
    validation.set_audience(&[C]);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "sub"]);
    let token = token(&server).await;

    let read = jsonwebtoken::decode::<serde_json::Value>(&token.text, &key, &validation).unwrap();
    assert_eq!(read.claims, token.claims());
    let now = token.claims()["nbf"].as_f64().unwrap();
    assert!(token.claims()["iat"].as_f64().unwrap() <= now && now < token.claims()["exp"].as_f64().unwrap());
}

fn apis_key(server: &TestServer) -> jsonwebtoken::DecodingKey {
    let pem = gatepost_operations::keys::export_public(&server.gate, "default").unwrap().pem;
    jsonwebtoken::DecodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

#[tokio::test]
async fn t13_whole_seconds_are_chosen_by_the_api_and_the_jti_keeps_the_milliseconds() {
    let server = TestServer::start().await;
    choose(&server, PassportChoices { timestamps: Some(Timestamps::Seconds), ..PassportChoices::default() })
        .await;
    server.clock.stop_at(1_795_384_252_987_654);

    let token = token(&server).await;
    assert_eq!(["iat", "nbf", "exp"].map(|name| token.raw(name)), ["1795384252", "1795384252", "1795387852"]);
    let jti = token.claims()["jti"].as_str().unwrap().to_owned();
    assert_eq!((jti.len(), &jti[..12]), (80, format!("{:012x}", 1_795_384_252_987_u64).as_str()));
}

#[tokio::test]
async fn t14_the_header_names_the_key_where_the_api_chose_so() {
    let server = TestServer::start().await;
    choose(&server, PassportChoices { kid: Some(true), ..PassportChoices::default() }).await;
    let kid = gatepost_operations::keys::export_public(&server.gate, "default").unwrap().kid;
    assert_eq!(token(&server).await.header, format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#));
}

#[tokio::test]
async fn t15_ten_thousand_tokens_have_ten_thousand_ids() {
    let server = Arc::new(TestServer::start().await);
    // One instant for all: only chance may tell them apart. Ed25519 keeps it quick.
    server.clock.stop_at(START);
    let members = and(credentials(C, S), json!({ "resource": FAST, "scope": "" }));
    let ask = Ask::post(STANDARD_DOOR).json(&members);

    let mut ids = HashSet::new();
    for _ in 0..10_000 {
        let claims = server.send(ask.clone()).await.token().claims();
        ids.insert(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 10_000);
}

#[tokio::test]
async fn t15_ids_that_begin_with_the_time_differ_within_one_instant() {
    let server = TestServer::with(&[]).await;
    choose(&server, PassportChoices { timestamps: Some(Timestamps::Seconds), ..PassportChoices::default() })
        .await;
    server.clock.stop_at(START);

    let mut ids = HashSet::new();
    for _ in 0..200 {
        ids.insert(token(&server).await.raw("jti"));
    }
    assert_eq!(ids.len(), 200);
}
