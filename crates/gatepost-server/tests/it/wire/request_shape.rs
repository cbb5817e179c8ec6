//! This file is where section B is: requests whose shape is wrong, and what each door says to them.

use serde_json::json;

use super::{Refused, all_refused, granted, malformed, not_you, refusal_headers, unsupported_grant};
use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, and, credentials, form_of, without};
use crate::cast::{C, INTEGER, S};
use crate::harness::TestServer;

fn ask() -> Ask {
    Ask::post(ORIGIN)
}

fn json_with(more: serde_json::Value) -> Ask {
    ask().json(&and(credentials(C, S), more))
}

fn text(content_type: &str, body: &str) -> Ask {
    ask().body(content_type, body)
}

fn refused(rows: Vec<(&'static str, Ask)>, status: u16, body: &str) -> Vec<Refused> {
    rows.into_iter().map(|(id, ask)| Refused { id, ask, status, body: body.to_owned() }).collect()
}

#[tokio::test]
async fn whatever_does_not_ask_for_the_one_grant_is_told_that_there_is_no_such_grant() {
    let whole = credentials(C, S).to_string();
    let query = format!("{ORIGIN}?{}", form_of(&credentials(C, S)));
    let mut rows = vec![
        ("B1", ask().json(&without(credentials(C, S), "grant_type"))),
        ("B2", text("application/json", "")),
        ("B2", text("application/json", "{}")),
        ("B2", text("application/x-www-form-urlencoded", "")),
        ("B2", ask()),
        ("B3", json_with(json!({ "grant_type": "foo" }))),
        ("B4", json_with(json!({ "grant_type": "Client_Credentials" }))),
        ("B5", json_with(json!({ "grant_type": null }))),
        ("B5", json_with(json!({ "grant_type": ["client_credentials"] }))),
        ("B5", json_with(json!({ "grant_type": 7 }))),
        ("B6", json_with(json!({ "grant_type": "refresh_token" }))),
        ("B7", json_with(json!({ "grant_type": "refresh_token", "refresh_token": "bogus" }))),
        ("B13", text("application/x-www-form-urlencoded", &whole)),
        ("B15", text("text/plain", &whole)),
        ("B15", text("", &whole)),
        ("B22", Ask::post(&query).json(&json!({}))),
        ("B22", Ask::post(&query).form("")),
    ];
    for grant in ["password", "authorization_code", "implicit", "personal_access"] {
        rows.push(("B8", json_with(json!({ "grant_type": grant }))));
    }
    all_refused(refused(rows, 400, &unsupported_grant())).await;
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_malformed() {
    let whole = credentials(C, S).to_string();
    let mut invalid_utf8 = whole.clone().into_bytes();
    invalid_utf8[20] = 0xff;
    let rows = vec![
        ("B9", text("application/json", r#"{"grant_type":"#)),
        ("B9", text("application/json", &format!("{whole}x"))),
        ("B10", text("application/json", r#"["a"]"#)),
        ("B10", text("application/json", r#""client_credentials""#)),
        ("B10", text("application/json", "null")),
        ("B11", text("application/json", &format!("\u{feff}{whole}"))),
        ("B12", ask().body("application/json", invalid_utf8)),
        ("B14", text("application/json", &form_of(&credentials(C, S)))),
    ];
    all_refused(refused(rows, 400, &malformed(""))).await;
}

#[tokio::test]
async fn a_client_id_that_is_missing_or_no_text_is_named() {
    let rows = vec![
        ("B16", ask().json(&without(credentials(C, S), "client_id"))),
        ("B16", ask().form(&form_of(&without(credentials(C, S), "client_id")))),
        ("B17", json_with(json!({ "client_id": "" }))),
        ("B17", json_with(json!({ "client_id": "  " }))),
        ("B18", json_with(json!({ "client_id": [C] }))),
        ("B18", json_with(json!({ "client_id": { "a": 1 } }))),
        ("B18", json_with(json!({ "client_id": true }))),
        ("B23", ask().header("authorization", "Basic bm9jb2xvbg==").form("grant_type=client_credentials")),
        ("B23", ask().header("authorization", "Basic !!!!").form("grant_type=client_credentials")),
        ("B23", ask().header("authorization", "Basic").form("grant_type=client_credentials")),
    ];
    all_refused(refused(rows, 400, &malformed("client_id"))).await;
}

#[tokio::test]
async fn a_client_secret_that_is_no_text_is_named() {
    let rows = vec![
        ("B20", json_with(json!({ "client_secret": 1234 }))),
        ("B20", json_with(json!({ "client_secret": true }))),
        ("B21", json_with(json!({ "client_secret": [S] }))),
        ("B21", json_with(json!({ "client_secret": { "$ne": "" } }))),
    ];
    all_refused(refused(rows, 400, &malformed("client_secret"))).await;
}

#[tokio::test]
async fn b19_a_number_is_the_client_of_its_digits() {
    let server = TestServer::start().await;
    let by_number = |id: u64| ask().json(&and(credentials("", S), json!({ "client_id": id })));

    let reply = server.send(by_number(17)).await;
    assert_eq!(granted(&reply).claims()["aud"], INTEGER);
    assert_eq!(granted(&server.send(ask().json(&credentials("17", S))).await).raw("aud"), r#""17""#);

    let unknown = server.send(by_number(77)).await;
    assert_eq!((unknown.status, unknown.text()), (401, not_you().as_str()));
}

#[tokio::test]
async fn the_standard_door_says_invalid_request_where_rfc_6749_does() {
    let server = TestServer::start().await;
    let standard = |members: &serde_json::Value| Ask::post(STANDARD_DOOR).json(members);
    let with = |more| standard(&and(credentials(C, S), more));
    let rows = [
        ("B1", standard(&without(credentials(C, S), "grant_type")), 400, "invalid_request"),
        ("B2", standard(&json!({})), 400, "invalid_request"),
        ("B2", Ask::post(STANDARD_DOOR).body("application/json", ""), 400, "invalid_request"),
        ("B3", with(json!({ "grant_type": "foo" })), 400, "unsupported_grant_type"),
        ("B4", with(json!({ "grant_type": "Client_Credentials" })), 400, "unsupported_grant_type"),
        ("B5", with(json!({ "grant_type": null })), 400, "invalid_request"),
        ("B5", with(json!({ "grant_type": ["client_credentials"] })), 400, "invalid_request"),
        ("B6", with(json!({ "grant_type": "refresh_token" })), 400, "unsupported_grant_type"),
        ("B8", with(json!({ "grant_type": "password" })), 400, "unsupported_grant_type"),
        ("B9", Ask::post(STANDARD_DOOR).body("application/json", "{"), 400, "invalid_request"),
        ("B15", Ask::post(STANDARD_DOOR).body("text/plain", "a=1"), 400, "invalid_request"),
        ("B16", standard(&without(credentials(C, S), "client_id")), 401, "invalid_client"),
        ("B18", with(json!({ "client_id": [C] })), 400, "invalid_request"),
        ("B19", with(json!({ "client_id": 17 })), 400, "invalid_request"),
        ("B20", with(json!({ "client_secret": 1234 })), 400, "invalid_request"),
        (
            "B23",
            Ask::post(STANDARD_DOOR)
                .header("authorization", "Basic !!!!")
                .form("grant_type=client_credentials"),
            401,
            "invalid_client",
        ),
    ];
    for (id, ask, status, error) in rows {
        let reply = server.send(ask).await;
        assert_eq!(reply.outcome(), (status, error.to_owned()), "{id}: {}", reply.text());
        assert_eq!(reply.json()["error_uri"], format!("https://auth.example/docs#{error}"), "{id}");
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401, "{id}");
        refusal_headers(&reply);
    }
}

#[tokio::test]
async fn b24_a_body_of_the_limit_is_taken_and_one_byte_more_is_413() {
    let server = TestServer::start().await;
    for door in crate::asking::DOORS {
        let padded = |length: usize| {
            let form = format!("{}&x=", form_of(&credentials(C, S)));
            Ask::post(door).form(&format!("{form}{}", "a".repeat(length - form.len())))
        };
        assert_eq!(server.send(padded(65_536)).await.status, 200);

        let reply = server.send(padded(65_537)).await;
        assert_eq!(reply.outcome(), (413, "invalid_request".to_owned()));
        refusal_headers(&reply);
    }
}
