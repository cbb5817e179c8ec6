//! This file is where partners book, list and delete, and can't reach each other's bookings.

use serde_json::{Value, json};

use crate::api::{Api, BOTH, token};

#[tokio::test]
async fn a_booking_is_made_listed_and_deleted() {
    let api = Api::new().await;
    let acme = token(Some("acme"), &BOTH);

    let (status, booking) = api.book(&acme, "A-1").await;
    assert_eq!(status, 201);
    assert_eq!((&booking["reference"], &booking["starts"]), (&json!("A-1"), &json!("2030-01-31T09:00:00Z")));
    api.book(&acme, "A-2").await;
    assert_eq!(api.references(&acme).await, ["A-2", "A-1"]);

    let path = format!("/bookings/{}", booking["id"].as_str().unwrap());
    assert_eq!(api.ask(&acme, "DELETE", &path, "").await, (204, Value::Null));
    assert_eq!(api.ask(&acme, "DELETE", &path, "").await.0, 404);
    assert_eq!(api.references(&acme).await, ["A-2"]);
}

#[tokio::test]
async fn another_partners_booking_is_not_there() {
    let api = Api::new().await;
    let (acme, globex) = (token(Some("acme"), &BOTH), token(Some("globex"), &BOTH));
    let (_, booking) = api.book(&acme, "A-1").await;
    let path = format!("/bookings/{}", booking["id"].as_str().unwrap());

    let theirs = api.ask(&globex, "DELETE", &path, "").await;
    let nobodys = api.ask(&globex, "DELETE", "/bookings/00000000-0000-0000-0000-000000000000", "").await;

    assert_eq!(theirs.0, 404);
    assert_eq!(theirs, nobodys);
    assert!(api.references(&globex).await.is_empty());
    assert_eq!(api.references(&acme).await, ["A-1"]);
}

#[tokio::test]
async fn each_route_needs_its_scope() {
    let api = Api::new().await;
    let creator = token(Some("acme"), &["bookings:create"]);
    let remover = token(Some("acme"), &["bookings:delete"]);
    let (_, booking) = api.book(&creator, "A-1").await;
    let path = format!("/bookings/{}", booking["id"].as_str().unwrap());

    let refused = api.book(&remover, "A-2").await;
    assert_eq!((refused.0, &refused.1["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(api.ask(&creator, "DELETE", &path, "").await.0, 403);
    assert_eq!(api.references(&token(Some("acme"), &[])).await, ["A-1"]);
    assert_eq!(api.ask(&remover, "DELETE", &path, "").await.0, 204);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered() {
    let api = Api::new().await;
    for (method, path) in
        [("GET", "/bookings"), ("POST", "/bookings"), ("DELETE", "/bookings/1"), ("GET", "/else")]
    {
        let (status, body) = api.ask("a.b.c", method, path, "").await;
        assert_eq!((status, &body["message"]), (401, &json!("Unauthenticated.")), "{method} {path}");
    }
}

#[tokio::test]
async fn the_numbers_of_the_guard_are_in_the_metrics_of_the_api() {
    let api = Api::new().await;
    api.ask(&token(Some("acme"), &[]), "GET", "/bookings", "").await;
    api.ask("nonsense", "GET", "/bookings", "").await;
    let page = api.metrics().await;
    for line in
        ["gatepost_guard_accepted_total 1", "gatepost_guard_refused_total{reason=\"not_three_parts\"} 1"]
    {
        assert!(page.lines().any(|found| found == line), "{page}");
    }
}

#[tokio::test]
async fn a_token_without_a_partner_books_nothing() {
    let api = Api::new().await;
    let nobody = token(None, &BOTH);

    assert_eq!(api.book(&nobody, "A-1").await.0, 403);
    assert_eq!(api.ask(&nobody, "GET", "/bookings", "").await.0, 403);
}

#[tokio::test]
async fn what_is_no_booking_is_refused_in_json() {
    let api = Api::new().await;
    let acme = token(Some("acme"), &BOTH);
    let long = json!({"reference": "x".repeat(101), "starts": "2030-01-31T09:00:00Z"}).to_string();
    for body in [
        "",
        "[]",
        "{}",
        "{",
        r#"{"reference":"A-1"}"#,
        r#"{"reference":7,"starts":"2030-01-31T09:00:00Z"}"#,
        r#"{"reference":"","starts":"2030-01-31T09:00:00Z"}"#,
        r#"{"reference":"A-1","starts":"tomorrow"}"#,
        &long,
    ] {
        let (status, answer) = api.ask(&acme, "POST", "/bookings", body).await;
        assert_eq!((status, &answer["error"]), (422, &json!("invalid_booking")), "{body}");
    }
    assert!(api.references(&acme).await.is_empty());
}

#[tokio::test]
async fn other_paths_methods_and_ids_are_refused_in_json() {
    let api = Api::new().await;
    let acme = token(Some("acme"), &BOTH);

    for (method, path, status) in [
        ("GET", "/else", 404),
        ("PUT", "/bookings", 405),
        ("GET", "/bookings/1", 405),
        ("DELETE", "/bookings/1'%20OR%201=1", 404),
    ] {
        assert_eq!(api.ask(&acme, method, path, "").await.0, status, "{method} {path}");
    }
}
