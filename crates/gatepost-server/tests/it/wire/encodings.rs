//! This file is where section A is: every encoding of a right request gets its token.

use serde_json::json;

use super::{granted, not_you, refusal_headers};
use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, and, basic, credentials, form_of};
use crate::cast::{AWKWARD, AWKWARD_SECRET, C, S};
use crate::harness::TestServer;

const GRANT: &str = "grant_type=client_credentials";

fn ask() -> Ask {
    Ask::post(ORIGIN)
}

fn form() -> String {
    form_of(&credentials(C, S))
}

fn multipart(fields: &[(&str, &str)]) -> Ask {
    let part = |(name, value): &(&str, &str)| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts: String = fields.iter().map(part).collect();
    ask().body("multipart/form-data; boundary=X", format!("{parts}--X--\r\n"))
}

/// Bodies of every kind.
fn bodies() -> Vec<(&'static str, Ask)> {
    let body = credentials(C, S).to_string();
    vec![
        ("A1", ask().header("accept", "application/json").json(&credentials(C, S))),
        ("A2", ask().form(&form())),
        ("A3", ask().basic(C, S).form(GRANT)),
        ("A4", ask().basic(C, S).json(&json!({ "grant_type": "client_credentials" }))),
        ("A5", ask().body("application/x-www-form-urlencoded; charset=UTF-8", form())),
        ("A6", ask().body("application/json; charset=utf-8", body.clone())),
        ("A7", ask().body("application/vnd.api+json", body.clone())),
        ("A7", ask().body("text/json", body.clone())),
        ("A7", ask().body("Application/JSON", body)),
        ("A8", multipart(&[("grant_type", "client_credentials"), ("client_id", C), ("client_secret", S)])),
        ("A9", ask().json(&credentials(C, S))),
        ("A10", ask().header("accept", "text/html").json(&credentials(C, S))),
        ("A10", ask().header("accept", "application/xml").json(&credentials(C, S))),
        ("A11", ask().json(&and(credentials(C, S), json!({ "foo": "bar", "audience": "https://x" })))),
        ("A11", ask().json(&and(credentials(C, S), json!({ "resource": "https://nobody.example" })))),
        ("A12", ask().json(&and(credentials(C, S), json!({ "redirect_uri": null })))),
        ("A22", Ask::post("/api/oauth/token/").json(&credentials(C, S))),
        ("A23", ask().body("application/json", format!(r#"{{"grant_type":"foo","client_id":"zzz","grant_type":"client_credentials","client\u005fid":"{C}","client_secret":"{S}"}}"#))),
        ("A24", ask().form(&format!("client_id=zzz&{}", form()))),
    ]
}

/// Credentials of every kind.
fn credentials_everywhere() -> Vec<(&'static str, Ask)> {
    let encoded_id = C.replace('-', "%2D");
    let encoded = form_urlencoded::byte_serialize(AWKWARD_SECRET.as_bytes()).collect::<String>();
    let spaced = credentials(&format!(" {C} "), &format!("\t{S}\r\n"));
    vec![
        ("A13", ask().basic(C, S).form(&form())),
        ("A14", ask().basic(C, "nope").form(&form())),
        ("A16", ask().basic("other", S).form(&format!("{GRANT}&client_id={C}"))),
        ("A17", ask().json(&spaced)),
        ("A17", ask().form(&form_of(&spaced))),
        ("A18", ask().basic(&encoded_id, S).form(GRANT)),
        ("A19", ask().basic(AWKWARD, AWKWARD_SECRET).form(GRANT)),
        ("A20", ask().basic(AWKWARD, &encoded).form(GRANT)),
        ("A20", ask().basic(AWKWARD, &encoded.replace('+', "%20")).form(GRANT)),
        ("A21", ask().header("authorization", &basic(C, S).replace("Basic", "basic")).form(GRANT)),
        ("A21", ask().header("authorization", &basic(C, S).replace("Basic", "BASIC")).form(GRANT)),
    ]
}

#[tokio::test]
async fn every_encoding_of_a_right_request_gets_the_origin_pages_answer() {
    let server = TestServer::start().await;
    for (id, ask) in bodies().into_iter().chain(credentials_everywhere()) {
        let reply = server.send(ask.clone()).await;
        assert_eq!(reply.status, 200, "{id}: {ask:?}: {}", reply.text());
        granted(&reply);
    }
}

#[tokio::test]
async fn a15_a_wrong_secret_in_the_body_is_not_mended_by_a_right_header() {
    let server = TestServer::start().await;
    let wrong = form_of(&credentials(C, "nope"));

    let reply = server.send(ask().basic(C, S).form(&wrong)).await;

    assert_eq!((reply.status, reply.text()), (401, not_you().as_str()));
    assert_eq!(reply.header("www-authenticate"), Some(r#"Basic realm="OAuth""#));
    refusal_headers(&reply);
}

#[tokio::test]
async fn the_standard_door_takes_form_and_json_and_one_way_of_authenticating() {
    let server = TestServer::start().await;
    let standard = || Ask::post(STANDARD_DOOR);
    let encoded = form_urlencoded::byte_serialize(AWKWARD_SECRET.as_bytes()).collect::<String>();
    let granted = [
        ("A1", standard().json(&credentials(C, S))),
        ("A2", standard().form(&form())),
        ("A3", standard().basic(C, S).form(GRANT)),
        ("A4", standard().basic(C, S).json(&json!({ "grant_type": "client_credentials" }))),
        ("A13", standard().basic(C, S).form(&format!("{GRANT}&client_id={C}"))),
        ("A18", standard().basic(&C.replace('-', "%2D"), S).form(&format!("{GRANT}&client_id={C}"))),
        ("A19", standard().basic(AWKWARD, AWKWARD_SECRET).form(GRANT)),
        ("A20", standard().basic(AWKWARD, &encoded).form(GRANT)),
        ("A21", standard().header("authorization", &basic(C, S).replace("Basic", "bASIC")).form(GRANT)),
    ];
    for (id, ask) in granted {
        let reply = server.send(ask).await;
        assert_eq!(reply.outcome(), (200, String::new()), "{id}");
        assert_eq!(reply.json()["scope"], "bookings:create bookings:delete", "{id}");
        assert_eq!(reply.header("cache-control"), Some("no-store, private"), "{id}");
    }
}

#[tokio::test]
async fn the_standard_door_refuses_what_the_origin_door_forgives() {
    let server = TestServer::start().await;
    let standard = || Ask::post(STANDARD_DOOR);
    let twice = format!(
        r#"{{"grant_type":"foo","grant_type":"client_credentials","client_id":"{C}","client_secret":"{S}"}}"#
    );
    let refused = [
        ("A8", Ask { path: STANDARD_DOOR.into(), ..multipart(&[("grant_type", "client_credentials")]) }, 400),
        ("A13", standard().basic(C, S).form(&form()), 400),
        ("A13", standard().basic(C, S).form(&format!("{GRANT}&client_id=other")), 400),
        ("A14", standard().basic(C, "nope").form(&form()), 400),
        ("A23", standard().body("application/json", twice), 400),
        ("A24", standard().form(&format!("client_id=zzz&{}", form())), 400),
    ];
    for (id, ask, status) in refused {
        let reply = server.send(ask).await;
        assert_eq!(reply.outcome(), (status, "invalid_request".to_owned()), "{id}: {}", reply.text());
        let members: Vec<_> = reply.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["error", "error_description", "error_uri"], "{id}");
        refusal_headers(&reply);
    }
}
