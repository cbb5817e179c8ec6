//! This file is where it is shown that tokens leave no row behind.

use serde_json::json;

use crate::asking::{Ask, DOORS, STANDARD_DOOR, and, credentials};
use crate::cast::{C, S};
use crate::harness::{BOOKINGS, TestServer};

#[tokio::test]
async fn a_thousand_tokens_and_as_many_refusals_change_not_one_byte_of_the_store() {
    let server = TestServer::patient().await;
    // Opening the store may still write; what counts is what requests do.
    server.send(Ask::post(STANDARD_DOOR).json(&credentials(C, S))).await.token();
    let head = server.gate.store().head().await.unwrap();
    let before = server.stored_bytes();
    assert!(before.iter().any(|(name, bytes)| name == "gatepost.db" && !bytes.is_empty()));

    let elliptic = and(credentials(C, S), json!({ "resource": BOOKINGS }));
    for _ in 0..1_000 {
        server.send(Ask::post(STANDARD_DOOR).json(&elliptic)).await.token();
        let refused = server.send(Ask::post(STANDARD_DOOR).json(&credentials(C, "nope"))).await;
        assert_eq!(refused.status, 401);
    }
    for door in DOORS {
        server.send(Ask::post(door).json(&credentials(C, S))).await.token();
    }

    assert_eq!(server.gate.store().head().await.unwrap(), head);
    let after = server.stored_bytes();
    let lasting = |files: &[(String, Vec<u8>)]| {
        files.iter().filter(|(name, _)| !name.ends_with("-shm")).cloned().collect::<Vec<_>>()
    };
    assert!(lasting(&before) == lasting(&after), "the database or its log was written");
}
