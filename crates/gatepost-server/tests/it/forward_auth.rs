//! This file is where proxies ask whether a request may pass, well and badly configured.

use gatepost_core::actor::Actor;
use gatepost_operations::routes;
use serde_json::json;

use crate::asking::Ask;
use crate::cast::{C, OURS, PARTNER, S, our_secret};
use crate::harness::{BOOKINGS, TestServer};
use crate::reply::Reply;
use crate::resource_server::{ResourceServer, token};

async fn ask(server: &TestServer, query: &str, token: &str, headers: &[(&str, &str)]) -> Reply {
    let ask = Ask::read(&format!("/forward-auth{query}")).header("authorization", &format!("Bearer {token}"));
    server.send(headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value))).await
}

#[tokio::test]
async fn a_good_token_passes_with_its_identity() {
    let server = TestServer::start().await;
    let (default, bookings) = (
        token(&server, (C, S), json!({})).await.text,
        token(&server, (C, S), json!({ "resource": BOOKINGS })).await.text,
    );
    for (api, token) in [("default", default), ("bookings", bookings)] {
        let spoofed =
            [("x-client-id", "admin"), ("x-scopes", "*"), ("x-partner-id", "admin"), ("x-is-test", "true")];
        let reply = ask(&server, &format!("?api={api}"), &token, &spoofed).await;
        assert_eq!((reply.status, reply.text()), (200, ""));
        assert_eq!(reply.header("x-partner-id"), Some(PARTNER));
        assert_eq!(reply.header("x-client-id"), Some(C));
        assert_eq!(reply.header("x-scopes"), Some("bookings:create bookings:delete"));
        assert_eq!(reply.header("x-is-test"), Some("false"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn every_method_and_body_gets_the_same_verdict() {
    let server = TestServer::start().await;
    let good = token(&server, (C, S), json!({})).await.text;
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"] {
        for (authorization, status) in [(format!("Bearer {good}"), 200), ("Bearer x".into(), 401)] {
            let ask =
                || Ask::new(method, "/forward-auth?api=default").header("authorization", &authorization);
            let large = ask().body("application/json", vec![b'x'; 1 << 20]);
            let packed = ask().header("content-encoding", "gzip").header("content-type", "nonsense");
            for ask in [ask(), large, packed] {
                let reply = server.send(ask).await;
                assert_eq!(reply.status, status, "{method}");
                let challenged =
                    reply.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer "));
                assert_eq!(challenged, status == 401);
            }
        }
    }
}

#[tokio::test]
async fn head_gets_the_headers_of_the_verdict_and_nothing_behind_them() {
    let server = TestServer::start().await;
    let ask = |method| Ask::new(method, "/forward-auth?api=default");
    let (get, head) = (server.send(ask("GET")).await, server.send(ask("HEAD")).await);

    assert_eq!(get.status, 401);
    assert!(!get.body.is_empty());
    assert_eq!((head.status, head.text()), (401, ""));
    assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()));
    assert_eq!(head.header("www-authenticate"), get.header("www-authenticate"));
}

#[tokio::test]
async fn a_query_that_is_not_right_lets_nobody_pass() {
    let server = TestServer::start().await;
    let good = token(&server, (OURS, &our_secret()), json!({})).await.text;
    for right in [
        "?api=default",
        "?api=default&scope=read&scope=write",
        "?api=default&any=read&any=admin",
        "?api=default&live=1",
        "?&api=default&",
    ] {
        assert_eq!(ask(&server, right, &good, &[]).await.status, 200, "{right}");
    }
    for wrong in [
        "",
        "?",
        "?api=",
        "?api=unknown",
        "?api=DEFAULT",
        "?api=default&api=default",
        "?api=default&api=bookings",
        "?api=default&scopes=read",
        "?api=default&Scope=read",
        "?api=default&live=0",
        "?api=default&live=1&live=1",
        "?api=default&live",
        "?api=default&scope=",
        "?api=default&scope=read%20write",
        "?api=default&any=a%22b",
        "?api=default&x",
        "?api=default%00",
        "?scope=read",
        "?api=default&scope=admin",
        "?api=default&scope=read&scope=admin",
        "?api=default&any=admin",
        "?api=default;scope=read",
        "?api=%ff",
    ] {
        let reply = ask(&server, wrong, &good, &[]).await;
        assert_eq!(reply.status, 403, "{wrong}");
        assert!(reply.json()["error"].is_string() && !reply.text().contains(&good));
    }
    let low = ask(&server, "?api=default&scope=admin", &good, &[]).await;
    let challenge = low.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error="insufficient_scope""#) && challenge.ends_with(r#"scope="admin""#),
        "{challenge}"
    );
}

#[tokio::test]
async fn the_table_of_an_api_says_what_may_pass() {
    let server = TestServer::start().await;
    for (method, path, scopes) in [
        ("GET", "/bookings/{id}", vec!["read"]),
        ("DELETE", "/bookings/{id}", vec!["read", "admin"]),
        ("*", "/open/*", vec![]),
    ] {
        let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
        routes::add(&server.gate, &Actor::System, "default", (method, path), &scopes).await.unwrap();
    }
    let good = token(&server, (OURS, &our_secret()), json!({})).await.text;
    for (method, uri, status) in [
        ("GET", "/bookings/7", 200),
        ("GET", "/bookings/7?x=/../y", 200),
        ("DELETE", "/bookings/7", 403),
        ("POST", "/bookings/7", 403),
        ("GET", "/bookings", 403),
        ("GET", "/bookings/7/", 403),
        ("PUT", "/open/a/b", 200),
        ("M-SEARCH", "/open/a", 200),
        ("put", "/open/a", 403),
        ("", "/open/a", 403),
        ("GET", "", 403),
    ] {
        for (a, b) in [
            ("x-forwarded-method", "x-forwarded-uri"),
            ("x-original-method", "x-original-uri"),
            ("x-forwarded-method", "x-original-uri"),
        ] {
            let reply = ask(&server, "?api=default", &good, &[(a, method), (b, uri)]).await;
            assert_eq!(reply.status, status, "{method} {uri}");
        }
    }
    // Without a path no line speaks of it; without a method only lines for any method do.
    assert_eq!(ask(&server, "?api=default", &good, &[]).await.status, 403);
    assert_eq!(ask(&server, "?api=default", &good, &[("x-forwarded-uri", "/open/a")]).await.status, 200);
    assert_eq!(ask(&server, "?api=default", &good, &[("x-forwarded-uri", "/bookings/7")]).await.status, 403);
    assert_eq!(ask(&server, "?api=default", "bad", &[]).await.status, 401);

    routes::remove(&server.gate, &Actor::System, "default", "GET", "/bookings/{id}").await.unwrap();
    let reply = ask(
        &server,
        "?api=default",
        &good,
        &[("x-forwarded-method", "GET"), ("x-forwarded-uri", "/bookings/7")],
    )
    .await;
    assert_eq!(reply.status, 403, "the table changes at once");
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_denied_with_or_without_a_table() {
    let server = TestServer::start().await;
    let good = token(&server, (OURS, &our_secret()), json!({})).await.text;
    let (method, uri) = (("x-forwarded-method", "GET"), ("x-forwarded-uri", "/a"));
    for agreed in
        [vec![method, uri], vec![method, uri, ("x-original-method", "GET"), ("x-original-uri", "/a")]]
    {
        assert_eq!(ask(&server, "?api=default", &good, &agreed).await.status, 200);
    }
    for denied in [
        vec![method, uri, uri],
        vec![method, method, uri],
        vec![method, uri, ("x-original-uri", "/b")],
        vec![method, uri, ("x-original-method", "POST")],
        vec![("x-forwarded-uri", "/a/../b")],
        vec![("x-original-uri", "//a")],
        vec![("x-original-uri", "http://evil.example/a")],
        vec![("x-original-uri", "/a\u{e9}")],
        vec![("x-forwarded-method", "GET, POST"), uri],
        vec![uri, ("connection", "close, X-Forwarded-Uri")],
        vec![uri, ("connection", "authorization")],
    ] {
        assert_eq!(ask(&server, "?api=default", &good, &denied).await.status, 403, "{denied:?}");
    }
    let twice = ask(&server, "?api=default", &good, &[("authorization", &format!("Bearer {good}"))]).await;
    assert_eq!(twice.status, 401);
}

#[tokio::test]
async fn a_remembered_token_is_judged_without_a_look_at_the_store() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let good = token(&server, (C, S), json!({})).await.text;
    server.gate.close().await;
    for _ in 0..3 {
        assert_eq!(default.passes(&server, &good).await, 200);
        assert_eq!(default.passes(&server, "bad").await, 401);
    }
}
