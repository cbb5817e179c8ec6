//! This file is where the rows T041 and T120 to T144 of the hostile cases are asked, and every refusal compared.

use std::io::ErrorKind;
use std::net::TcpListener;

use gatepost_core::actor::Actor;
use gatepost_jose::base64url;
use gatepost_operations::{client_keys, clients};
use serde_json::{Value, json};

use super::{Signer, add, claims, members, now, pin, reason, send, server_knowing, with};
use crate::asking::{Ask, STANDARD_DOOR, and, credentials, form_of, without};
use crate::cast::{C, OURS, S, SUSPENDED};
use crate::harness::{ISSUER, TestServer};

const INVALID_CLIENT: (u16, &str) = (401, "invalid_client");

/// The claims with one of them different.
fn but(server: &TestServer, name: &str, value: Value) -> Value {
    and(claims(server, C, name), Value::from_iter([(name.to_owned(), value)]))
}

/// Sends an assertion that must be refused; the reason.
async fn refused(server: &TestServer, row: &str, assertion: &str) -> String {
    let reply = send(server, assertion).await;
    let (status, code) = reply.outcome();
    assert_eq!((status, code.as_str()), INVALID_CLIENT, "{row}");
    assert!(reply.header("www-authenticate").is_some(), "{row}");
    reason(server)
}

#[tokio::test]
async fn a_right_assertion_gets_a_token() {
    let signer = Signer::named("2026-11");
    let server = server_knowing(&signer).await;
    let token = send(&server, &signer.assertion(&server, "1")).await.token();
    assert_eq!(token.claims()["aud"], C, "C's default API has the passport profile");

    let beside = and(members(&signer.assertion(&server, "2")), json!({ "client_id": C }));
    server.send(Ask::post(STANDARD_DOOR).form(&form_of(&beside))).await.token();
    server.send(Ask::post(STANDARD_DOOR).json(&members(&signer.assertion(&server, "3")))).await.token();
    let typed = json!({ "alg": "ES256", "typ": "client-authentication+jwt" });
    send(&server, &signer.sign_under(&typed, &claims(&server, C, "4"))).await.token();
    send(&server, &signer.sign(&but(&server, "aud", json!([ISSUER])))).await.token();
}

#[tokio::test]
async fn t041_a_client_pinned_to_its_key_is_refused_by_secret_and_the_other_way_round() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    pin(&server, C, "private_key_jwt").await;
    for secret in ["anything", S] {
        let reply = server.send(Ask::post(STANDARD_DOOR).form(&form_of(&credentials(C, secret)))).await;
        assert_eq!(reply.status, 401);
    }
    assert_eq!(reason(&server), "the client is pinned to another authentication method");
    send(&server, &signer.assertion(&server, "1")).await.token();

    pin(&server, C, "client_secret_post").await;
    let why = refused(&server, "T041", &signer.assertion(&server, "2")).await;
    assert_eq!(why, "the client is pinned to another authentication method");
}

#[tokio::test]
async fn t120_t121_the_issuer_is_the_only_audience() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    for (row, aud) in [
        ("T120", json!([ISSUER, "https://other.example"])),
        ("T121", json!(format!("{ISSUER}/"))),
        ("the endpoint", json!(format!("{ISSUER}/oauth2/token"))),
        ("another", json!("https://other.example")),
        ("none", json!([])),
    ] {
        let why = refused(&server, row, &signer.sign(&but(&server, "aud", aud))).await;
        assert_eq!(why, "the assertion's aud is not this issuer alone", "{row}");
    }
}

#[tokio::test]
async fn the_setting_allows_the_token_endpoint_as_the_audience_too() {
    let signer = Signer::new();
    let server = TestServer::with(&[("clients.assertion_audiences", "issuer+token_endpoint")]).await;
    add(&server, C, &signer).await;
    let endpoint = format!("{ISSUER}/oauth2/token");
    send(&server, &signer.sign(&but(&server, "aud", json!(endpoint)))).await.token();
    send(&server, &signer.assertion(&server, "issuer")).await.token();
    refused(&server, "both", &signer.sign(&but(&server, "aud", json!([ISSUER, endpoint])))).await;
}

#[tokio::test]
async fn t125_a_client_id_beside_must_be_the_subject() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let beside = and(members(&signer.assertion(&server, "1")), json!({ "client_id": OURS }));
    let reply = server.send(Ask::post(STANDARD_DOOR).form(&form_of(&beside))).await;
    assert_eq!(reply.outcome(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn t127_to_t131_dates_and_ids_are_needed_and_bounded() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let at = |seconds: i64| json!(now(&server) + seconds);
    let rows = [
        ("T127", without(claims(&server, C, "j"), "exp"), "the assertion has no exp"),
        ("T128", but(&server, "exp", at(86_400)), "the assertion's exp is more than 5 minutes ahead"),
        ("expired", but(&server, "exp", at(-61)), "the assertion has expired"),
        ("T129", but(&server, "iat", at(90)), "the assertion is of the future; set the client's clock"),
        ("T129", but(&server, "nbf", at(90)), "the assertion is of the future; set the client's clock"),
        (
            "T130",
            without(claims(&server, C, "j"), "jti"),
            "the assertion's jti is not 1 to 255 printable characters",
        ),
        (
            "T131",
            but(&server, "jti", json!("x".repeat(4_096))),
            "the assertion's jti is not 1 to 255 printable characters",
        ),
        ("T131", but(&server, "jti", json!("x".repeat(40_000))), "the assertion is longer than 8 KiB"),
        (
            "T131",
            but(&server, "jti", json!(7)),
            "the assertion is refused: a claim has the wrong type or size",
        ),
    ];
    for (row, claims, expected) in rows {
        assert_eq!(refused(&server, row, &signer.sign(&claims)).await, expected, "{row}");
    }
    // Ten seconds of another clock are nobody's fault.
    send(&server, &signer.sign(&but(&server, "iat", at(10)))).await.token();
}

#[tokio::test]
async fn t133_to_t136_the_key_chooses_the_algorithm() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let claims = claims(&server, C, "1");
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let hs256 = |secret: &str| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256), &claims, &key)
            .unwrap()
    };
    let own = Signer::new();
    let with_jwk = and(own.header(), json!({ "jwk": own.jwk() }));
    for (row, assertion) in [
        ("T133", format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims))),
        ("T133", format!("{}.{}.AA", part(&json!({ "alg": "None" })), part(&claims))),
        ("T134", hs256(&signer.key.public().to_pem().unwrap())),
        ("T135", hs256(S)),
        ("T136", own.sign_under(&with_jwk, &claims)),
        ("another algorithm", signer.sign_under(&json!({ "alg": "EdDSA" }), &claims)),
        ("another key", own.sign(&claims)),
    ] {
        refused(&server, row, &assertion).await;
    }
}

#[tokio::test]
async fn t137_no_header_makes_this_server_connect_anywhere() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let attacker = TcpListener::bind("127.0.0.1:0").unwrap();
    attacker.set_nonblocking(true).unwrap();
    let url = format!("https://{}/jwks", attacker.local_addr().unwrap());
    for name in ["jku", "x5u"] {
        let header = and(signer.header(), json!({ name: url }));
        let why = refused(&server, "T137", &signer.sign_under(&header, &claims(&server, C, name))).await;
        assert!(why.contains("parameter that is refused"), "{why}");
    }
    assert_eq!(attacker.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn t138_t139_other_kinds_of_tokens_are_no_assertions() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let token = send(&server, &signer.assertion(&server, "1")).await.token();
    refused(&server, "one of our tokens", &token.text).await;
    for typ in ["at+jwt", "dpop+jwt", "gatepost-revocations+jwt", "token-introspection+jwt"] {
        let header = and(signer.header(), json!({ "typ": typ }));
        let why = refused(&server, typ, &signer.sign_under(&header, &claims(&server, C, typ))).await;
        assert_eq!(why, "the assertion's typ is that of another kind of token");
    }
}

#[tokio::test]
async fn t140_t141_shapes_are_refused_before_any_look_up() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let jwe = format!(
        "{}.AA.AA.AA.AA",
        base64url::encode(
            br#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","zip":"DEF","p2c":2000000000,"p2s":"AA"}"#
        )
    );
    let lookups = server.gate.clients().lookups();
    for (row, assertion) in [
        ("T140", ".".repeat(60 * 1024)),
        ("T140", ".".repeat(8 * 1024)),
        ("T141", jwe),
        ("NUL", "a\0.b.c".to_owned()),
        ("not ASCII", "\u{e9}.\u{e9}.\u{e9}".to_owned()),
    ] {
        refused(&server, row, &assertion).await;
    }
    assert_eq!(server.gate.clients().lookups(), lookups);
}

#[tokio::test]
async fn t142_a_removed_key_is_refused_at_once_and_the_new_one_is_not() {
    let (old, new) = (Signer::named("old"), Signer::named("new"));
    let server = TestServer::start().await;
    let id = add(&server, C, &old).await;
    add(&server, C, &new).await;
    send(&server, &old.assertion(&server, "1")).await.token();
    send(&server, &new.assertion(&server, "2")).await.token();

    client_keys::remove(&server.gate, &Actor::System, C, id, false).await.unwrap();
    refused(&server, "T142", &old.assertion(&server, "3")).await;
    send(&server, &new.assertion(&server, "4")).await.token();
}

#[tokio::test]
async fn who_is_refused_can_not_learn_why() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    add(&server, SUSPENDED, &signer).await;
    let unknown = "11111111-1111-4111-8111-111111111111";
    let used = signer.assertion(&server, "used");
    send(&server, &used).await.token();

    let mut seen = Vec::new();
    for (assertion, why) in [
        (signer.sign(&claims(&server, unknown, "1")), "no such client"),
        (signer.sign(&claims(&server, "\u{e9}", "1")), "no such client"),
        (signer.sign(&claims(&server, SUSPENDED, "1")), "the client is suspended"),
        (signer.sign(&claims(&server, OURS, "1")), "algorithm"),
        (Signer::new().assertion(&server, "1"), "the signature does not verify"),
        (used, "assertion replayed"),
    ] {
        let reply = send(&server, &assertion).await;
        assert_eq!(reply.status, 401, "{why}");
        assert!(reason(&server).contains(why), "{}", reason(&server));
        seen.push(reply.bytes_seen());
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}

#[tokio::test]
async fn suspension_and_deletion_count_for_assertions_too() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    clients::suspend(&server.gate, &Actor::System, C).await.unwrap();
    refused(&server, "suspended", &signer.assertion(&server, "1")).await;
    clients::resume(&server.gate, &Actor::System, C).await.unwrap();
    server.clock.advance(2);
    send(&server, &signer.assertion(&server, "1")).await.token();
    clients::delete(&server.gate, &Actor::System, C).await.unwrap();
    refused(&server, "deleted", &signer.assertion(&server, "2")).await;
}

#[tokio::test]
async fn no_assertion_reaches_the_log() {
    let signer = Signer::new();
    let server = server_knowing(&signer).await;
    let assertion = Signer::new().assertion(&server, "canary-jti");
    server.send(with(&assertion)).await;
    let noted = format!("{:?}", server.gate.journal().refusals());
    assert!(noted.contains(C), "who is known, as they say: {noted}");
    assert!(!noted.contains("canary-jti") && !noted.contains(&assertion[..20]), "{noted}");
}
