//! This file is where section D is: which scopes a token has, and which requests for scopes are refused.

use serde_json::{Value, json};

use super::{Refused, all_refused, bad_scope, granted, malformed, not_you};
use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, and, credentials};
use crate::cast::{C, DROPPING, OURS, PLAIN, RECORDED, S, our_secret};
use crate::harness::TestServer;

const BOTH: [&str; 2] = ["bookings:create", "bookings:delete"];

fn ask(id: &str, scope: impl Into<Value>) -> Ask {
    let scope: Value = scope.into();
    Ask::post(ORIGIN).json(&and(credentials(id, S), json!({ "scope": scope })))
}

fn standard(id: &str, scope: impl Into<Value>) -> Ask {
    Ask { path: STANDARD_DOOR.into(), ..ask(id, scope) }
}

#[tokio::test]
async fn what_is_asked_for_and_granted_is_in_the_token_in_the_order_asked() {
    let server = TestServer::start().await;
    let rows: [(&str, Ask, &[&str]); 16] = [
        ("S1", Ask::post(ORIGIN).json(&credentials(PLAIN, S)), &[]),
        ("S2", Ask::post(ORIGIN).json(&credentials(C, S)), &BOTH),
        ("S3", ask(C, json!("bookings:create")), &["bookings:create"]),
        ("S4", ask(C, json!("bookings:create bookings:delete")), &BOTH),
        ("S4", ask(C, json!("bookings:delete bookings:create")), &["bookings:delete", "bookings:create"]),
        (
            "S5",
            ask(C, json!("bookings:delete bookings:create bookings:delete")),
            &["bookings:delete", "bookings:create"],
        ),
        ("S6", ask(C, json!("  bookings:create   bookings:delete ")), &BOTH),
        ("S7", ask(C, json!("")), &BOTH),
        ("S7", ask(C, json!("   ")), &BOTH),
        ("S7", ask(PLAIN, json!(" ")), &[]),
        ("S7", ask(C, json!(null)), &BOTH),
        ("S8", ask(C, json!(BOTH)), &BOTH),
        ("S8", ask(C, json!([" bookings:create "])), &["bookings:create"]),
        ("S9", ask(C, json!([])), &[]),
        ("S11", ask(RECORDED, json!("*")), &["*"]),
        ("S12", ask(RECORDED, json!("* bookings:create")), &["*", "bookings:create"]),
    ];
    for (id, ask, scopes) in rows {
        let reply = server.send(ask).await;
        assert_eq!(reply.status, 200, "{id}: {}", reply.text());
        assert_eq!(granted(&reply).claims()["scopes"], json!(scopes), "{id}");
    }
}

#[tokio::test]
async fn what_is_malformed_unknown_or_not_granted_is_named() {
    let refused = |id, scope: Value, named: &str| Refused {
        id,
        ask: ask(C, scope),
        status: 400,
        body: bad_scope(named),
    };
    let rows = [
        ("S11", json!("*"), "*"),
        ("S13", json!("nope"), "nope"),
        ("S14", json!("bookings:create nope"), "nope"),
        ("S14", json!("nope bookings:create"), "nope"),
        ("S15", json!("<b>\"x'&"), "&lt;b&gt;&quot;x&#039;&amp;"),
        ("S15", json!("r\u{e9}server"), "r\\u00e9server"),
        ("S16", json!("bookings:create,bookings:delete"), "bookings:create,bookings:delete"),
        ("S17", json!("Bookings:Create"), "Bookings:Create"),
        ("S18", json!("bookings:create admin"), "admin"),
        ("S8", json!(["bookings:create bookings:delete"]), "bookings:create bookings:delete"),
    ];
    all_refused(rows.into_iter().map(|(id, scope, named)| refused(id, scope, named)).collect()).await;
}

#[tokio::test]
async fn a_scope_of_another_type_is_malformed() {
    let refused = |(id, scope)| Refused { id, ask: ask(C, scope), status: 400, body: malformed("scope") };
    let rows = [("S10", json!(7)), ("S10", json!(true)), ("S10", json!({ "a": 1 })), ("S10", json!([7]))];
    all_refused(rows.into_iter().map(refused).collect()).await;
}

#[tokio::test]
async fn s18_a_client_imported_with_a_scopes_column_loses_what_it_lacks_without_a_word() {
    let server = TestServer::start().await;

    let some = server.send(ask(DROPPING, json!("admin bookings:create"))).await;
    assert_eq!(granted(&some).claims()["scopes"], json!(["bookings:create"]));
    let none = server.send(ask(DROPPING, json!("admin"))).await;
    assert_eq!(granted(&none).claims()["scopes"], json!([]));
    let unknown = server.send(ask(DROPPING, json!("nope"))).await;
    assert_eq!((unknown.status, unknown.text()), (400, bad_scope("nope").as_str()));
}

#[tokio::test]
async fn s18_the_standard_door_tells_what_was_dropped() {
    let server = TestServer::start().await;

    let some = server.send(standard(DROPPING, json!("admin bookings:create"))).await;
    assert_eq!((some.status, &some.json()["scope"]), (200, &json!("bookings:create")));
    let none = server.send(standard(DROPPING, json!("admin"))).await;
    assert_eq!(
        (none.status, &none.json()["scope"]),
        (200, &json!("")),
        "RFC 6749 5.1: required when it differs"
    );
    let refused = server.send(standard(C, json!("admin"))).await;
    assert_eq!(refused.outcome(), (400, "invalid_scope".to_owned()));
}

#[tokio::test]
async fn s19_the_standard_door_names_the_scope_when_it_is_not_what_was_asked_for() {
    let server = TestServer::start().await;
    let both = json!("bookings:create bookings:delete");
    let rows = [
        (C, Value::Null, Some(&both)),
        (C, json!("bookings:delete bookings:create"), None),
        (C, json!("bookings:create  bookings:create"), None),
        (PLAIN, Value::Null, None),
        (PLAIN, json!("bookings:create"), None),
    ];
    for (id, asked, named) in rows {
        let reply = server.send(standard(id, asked.clone())).await;
        let body = reply.json();
        assert_eq!((reply.status, body.get("scope")), (200, named), "{id} {asked}");
        let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members[..3], ["token_type", "expires_in", "access_token"]);
    }
}

#[tokio::test]
async fn s08_a_list_of_scopes_is_refused_at_the_standard_door() {
    let server = TestServer::start().await;
    for scope in [json!(BOTH), json!([]), json!(7)] {
        let reply = server.send(standard(C, scope)).await;
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()));
    }
}

#[tokio::test]
async fn s20_scope_is_looked_at_after_the_client_has_proved_itself() {
    let server = TestServer::start().await;
    let wrong = |door| Ask::post(door).json(&and(credentials(C, "nope"), json!({ "scope": "nope" })));

    let reply = server.send(wrong(ORIGIN)).await;
    assert_eq!((reply.status, reply.text()), (401, not_you().as_str()));
    assert_eq!(server.send(wrong(STANDARD_DOOR)).await.outcome(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn scopes_of_the_wrong_case_and_neighbours_of_granted_ones_are_refused() {
    let server = TestServer::start().await;
    for scope in ["READ", "readall", "rea", "read,write", "*", "admin"] {
        let members = and(credentials(OURS, &our_secret()), json!({ "scope": scope }));
        let reply = server.send(Ask::post(STANDARD_DOOR).json(&members)).await;
        assert_eq!(reply.outcome(), (400, "invalid_scope".to_owned()), "{scope}");
    }
}
