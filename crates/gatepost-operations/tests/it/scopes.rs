//! This file is where it is told who gains a scope by its creation.

use gatepost_operations::apis;

use crate::stage::{ACTOR, Stage};

#[tokio::test]
async fn a_new_scope_names_the_clients_that_were_granted_the_word_before() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    apis::delete_scope(&stage.gate, &ACTOR, "bookings", "read").await.unwrap();

    let again = apis::create_scope(&stage.gate, &ACTOR, "bookings", "read", "Read bookings").await.unwrap();
    assert_eq!(again.also_granted_to, [client]);
    let new = apis::create_scope(&stage.gate, &ACTOR, "bookings", "write", "Write bookings").await.unwrap();
    assert!(new.also_granted_to.is_empty());
    let elsewhere = apis::create_scope(&stage.gate, &ACTOR, "default", "read", "Read").await.unwrap();
    assert!(elsewhere.also_granted_to.is_empty(), "the client does not use that API");
}
