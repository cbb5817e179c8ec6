//! This file is where the page of metrics is read as Prometheus would, and `docs/reference/metrics.md` is held to it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use gatepost_core::actor::Actor;
use gatepost_operations::revocations;
use gatepost_server::admin_routes;
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::asking::{Ask, DOORS, credentials};
use crate::cast::{C, OURS, S};
use crate::harness::TestServer;
use crate::resource_server::{ResourceServer, token};

/// What the admin listener answers to that.
async fn asked(server: &TestServer, ask: Ask) -> (u16, http::HeaderMap, String) {
    let routes = admin_routes(std::sync::Arc::clone(&server.gate));
    let response = routes.oneshot(ask.into_request()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn page(server: &TestServer) -> String {
    let (status, headers, text) = asked(server, Ask::read("/metrics")).await;
    assert_eq!(status, 200);
    assert!(headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

/// The value of the sample of that name and those labels.
fn value(page: &str, sample: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in {page}")).parse().unwrap()
}

#[tokio::test]
async fn what_happens_is_counted_where_operators_look() {
    let server = TestServer::start().await;
    for door in DOORS {
        server.send(Ask::post(door).json(&credentials(C, S))).await.token();
        server.send(Ask::post(door).json(&credentials(C, "wrong"))).await;
    }
    let default = ResourceServer::of(&server.gate, "default").await;
    server.send(Ask::read("/oauth2/revocations").basic(&default.id, &default.secret)).await;
    revocations::end_tokens_of_client(&server.gate, &Actor::System, OURS).await.unwrap();
    let waits = server.gate.store().head().await.unwrap();

    let page = page(&server).await;
    for (sample, expected) in [
        (r#"gatepost_token_requests_total{door="origin",outcome="issued"}"#, 1.0),
        (r#"gatepost_token_requests_total{door="standard",outcome="refused"}"#, 1.0),
        (r#"gatepost_token_requests_total{door="standard",outcome="unavailable"}"#, 0.0),
        (r#"gatepost_token_refusals_total{code="invalid_client"}"#, 2.0),
        (r#"gatepost_signing_seconds_bucket{le="+Inf"}"#, 2.0),
        ("gatepost_signing_seconds_count", 2.0),
        ("gatepost_signing_queue_length", 0.0),
        ("gatepost_signing_wait_seconds_count", 2.0),
        (r#"gatepost_signing_shed_total{reason="client"}"#, 0.0),
        (r#"gatepost_revocations{kind="client"}"#, 1.0),
        (r#"gatepost_keys{state="signing"}"#, 3.0),
        ("gatepost_feed_signatures_total", 1.0),
        ("gatepost_feed_sequence", f64::from(u32::try_from(waits).unwrap())),
        ("gatepost_store_reachable", 1.0),
        ("gatepost_store_news_age_seconds", 0.0),
    ] {
        assert_eq!(value(&page, sample), expected, "{sample}");
    }
    assert!(value(&page, "gatepost_signing_seconds_sum") > 0.0);
    assert!(value(&page, "gatepost_key_next_turn_seconds") > 0.0);
}

#[tokio::test]
async fn a_store_that_is_not_heard_shows_by_its_age() {
    let server = TestServer::start().await;
    server.clock.advance(601);
    let page = page(&server).await;
    assert_eq!(value(&page, "gatepost_store_news_age_seconds"), 601.0);
    assert_eq!(value(&page, "gatepost_store_reachable"), 0.0);
}

#[tokio::test]
async fn the_page_tells_nothing_of_anybody_and_is_not_on_the_public_listener() {
    let server = TestServer::start().await;
    let issued = token(&server, (C, S), json!({})).await;
    let page = page(&server).await;
    for text in [C, S, issued.text.as_str(), "bookings"] {
        assert!(!page.contains(text), "{text} in {page}");
    }
    assert_eq!(server.send(Ask::read("/metrics")).await.status, 404);
    let (status, headers, _) = asked(&server, Ask::post("/metrics")).await;
    assert_eq!((status, headers["allow"].to_str().unwrap()), (405, "GET, HEAD"));
}

#[tokio::test]
async fn of_many_who_follow_a_feed_one_change_is_signed_once() {
    let server = TestServer::start().await;
    let default = ResourceServer::of(&server.gate, "default").await;
    let ask = |wait: u32, etag: &str| {
        let ask = Ask::read(&format!("/oauth2/revocations?wait={wait}")).basic(&default.id, &default.secret);
        if etag.is_empty() { ask } else { ask.header("if-none-match", etag) }
    };
    let first = server.send(ask(0, "")).await;
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(server.gate.metrics.snapshot().feeds_signed, 1);
    assert_eq!(server.send(ask(0, &etag)).await.status, 304);

    let followers: Vec<_> = (0..50).map(|_| server.send(ask(30, &etag))).collect();
    let news = revocations::end_tokens_of_client(&server.gate, &Actor::System, C);
    let (answers, done) = tokio::join!(futures_util::future::join_all(followers), news);
    done.unwrap();
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    assert_eq!(server.gate.metrics.snapshot().feeds_signed, 2);

    // A statement that has aged is made anew, for nobody believes an old one.
    server.clock.advance(20);
    let again = server.send(ask(0, "")).await;
    assert!(again.header("etag") == answers[0].header("etag") && again.body != answers[0].body);
    assert_eq!(server.gate.metrics.snapshot().feeds_signed, 3);
    // One for whom nobody asks is not made at all.
    revocations::end_tokens_of_client(&server.gate, &Actor::System, OURS).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.send(ask(0, &etag))).await.unwrap();
    assert_eq!(server.gate.metrics.snapshot().feeds_signed, 4);
}

const INTRODUCTION: &str = "# Metrics

`GET /metrics` at the admin address (`server.admin_listen`, 127.0.0.1:8461) is a page for Prometheus, in the OpenMetrics text format.
It holds numbers alone and names no partner, client, API or token, so it asks for no proof; the admin address is not for the public.
Counters begin with the process.
This page is made from what the program exports; what to watch and when to be woken stands in [the operator's page](../operate/metrics.md).

| metric | kind | labels | meaning |
|---|---|---|---|
";

/// The reference, as the program's own page describes itself.
fn reference(page: &str) -> String {
    let mut reference = INTRODUCTION.to_owned();
    let described = page.lines().filter_map(|line| line.strip_prefix("# HELP "));
    for (name, help) in described.filter_map(|line| line.split_once(' ')) {
        let kind = page.lines().find_map(|line| line.strip_prefix(&format!("# TYPE {name} "))).unwrap();
        let full = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        let labels = labels(page, name);
        writeln!(reference, "| `{full}` | {kind} | {labels} | {} |", help.trim_end_matches('.')).unwrap();
    }
    reference
}

/// Each label with its values, but not the bounds of a histogram.
fn labels(page: &str, name: &str) -> String {
    let mut names: Vec<(String, BTreeSet<String>)> = Vec::new();
    let samples = page.lines().filter(|line| line.starts_with(name) && !line.contains("le=\""));
    for inside in samples.filter_map(|line| Some(line.split_once('{')?.1.split_once('}')?.0)) {
        for (label, value) in inside.split(',').filter_map(|pair| pair.split_once('=')) {
            let value = value.trim_matches('"').to_owned();
            match names.iter_mut().find(|(known, _)| known == label) {
                Some((_, values)) => drop(values.insert(value)),
                None => names.push((label.to_owned(), BTreeSet::from([value]))),
            }
        }
    }
    let written = names.iter().map(|(label, values)| {
        let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
        format!("`{label}`: {}", values.join(", "))
    });
    written.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn the_written_reference_is_that_of_the_page() {
    let made = reference(&page(&TestServer::start().await).await);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == made, "docs/reference/metrics.md is not what the page says; run with UPDATE=1");
}
