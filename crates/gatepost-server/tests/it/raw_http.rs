//! This file is where bytes that are no proper HTTP are sent over a bare socket, row by row of the hostile cases.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::sockets::{Raw, Server, asking_for, server};

#[derive(Deserialize)]
struct Row {
    id: String,
    description: String,
    raw_b64: String,
    status: Vec<u16>,
    close: bool,
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("hostile_http.json")).unwrap()
}

impl Row {
    fn bytes(&self, server: &Server) -> Vec<u8> {
        let raw = STANDARD.decode(&self.raw_b64).unwrap();
        let host = server.address.to_string();
        String::from_utf8(raw.clone()).map_or(raw, |text| text.replace("{HOST}", &host).into_bytes())
    }
}

#[tokio::test]
async fn every_hostile_row_gets_its_answer_and_reaches_nothing_else() {
    // The slow header of H033 is to be slow for this time only.
    let server = server(|bounds| bounds.header_timeout = Duration::from_secs(1));
    for row in rows() {
        let (id, what) = (&row.id, &row.description);
        let mut client = Raw::connect(server.address).await;
        client.say(row.bytes(&server)).await;
        let answer = client.answer().await;

        let status = answer.as_ref().map_or(0, |answer| answer.status);
        assert!(row.status.contains(&status), "{id} ({what}): {status}, not one of {:?}", row.status);
        assert!(status < 500 && status != 101, "{id}: {status}");
        let answer = answer.unwrap_or_else(|| panic!("{id}: an answer is better than none"));
        assert!(answer.header("x-request-id").is_some(), "{id}: {}", answer.head);
        assert_eq!(answer.header("server"), None, "{id}");
        if row.close {
            assert_eq!(answer.header("connection"), Some("close"), "{id}: {}", answer.head);
            client.closed().await;
        }
        assert_eq!(server.seen.smuggled.load(Ordering::Relaxed), 0, "{id} reached the admin path");
    }
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200, "the server is alive after all of it");
}

#[tokio::test]
async fn all_rows_of_the_surface_are_here() {
    let ids: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 26);
    assert_eq!((ids[0].as_str(), ids[25].as_str()), ("H002", "H034"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_h032() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    let row = rows().into_iter().find(|row| row.id == "H032").unwrap();
    client.say(row.bytes(&server)).await;
    let mut last = 0;
    for _ in 0..64 {
        let answer = client.answer().await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "keys"));
        let id: u64 = answer.header("x-request-id").unwrap().strip_prefix("id-").unwrap().parse().unwrap();
        assert!(id > last, "answers come in the order of the requests");
        last = id;
    }
}

#[tokio::test]
async fn a_malformed_request_behind_proper_ones_is_answered_in_its_turn() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    let smuggled = asking_for("/admin/v1/clients");
    let two_lengths = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
    );
    client.say(format!("{}{}{two_lengths}", asking_for("/livez"), asking_for("/livez"))).await;

    let statuses = [client.answer().await, client.answer().await, client.answer().await];
    assert_eq!(statuses.map(|answer| answer.unwrap().status), [200, 200, 400]);
    client.closed().await;
    assert_eq!(server.seen.smuggled.load(Ordering::Relaxed), 0);
    assert_eq!(server.metrics.snapshot().malformed, 1);
}

#[tokio::test]
async fn a_refusal_is_json_that_says_what_is_wrong() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client.say("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    let answer = client.answer().await.unwrap();
    assert_eq!(
        answer.body,
        r#"{"error":"invalid_request","error_description":"exactly one valid Host header is required"}"#
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Bytes that look like requests, broken in ways nobody thought of: the seed makes them the same each time.
fn broken_requests(count: usize) -> impl Iterator<Item = Vec<u8>> {
    let whole: Vec<Vec<u8>> = rows().iter().map(|row| STANDARD.decode(&row.raw_b64).unwrap()).collect();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut chance = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    const SHARDS: [&[u8]; 12] = [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\0",
        b":",
        b"Host: b\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\n",
        b"HTTP/1.1",
        b"\xff",
    ];
    (0..count).map(move |_| {
        let mut bytes = whole[chance(whole.len())].clone();
        for _ in 0..=chance(3) {
            let at = chance(bytes.len().min(400));
            let shard = SHARDS[chance(SHARDS.len())];
            let end = (at + chance(3)).min(bytes.len());
            bytes.splice(at..end, shard.iter().copied());
        }
        bytes
    })
}

#[tokio::test]
async fn whatever_is_broken_every_answer_is_ours_and_none_is_a_failure() {
    let server = server(|_| {});
    for bytes in broken_requests(1500) {
        let mut client = Raw::connect(server.address).await;
        client.say(&bytes).await;
        // Whatever it was, this ends it: a body is full then, and no head begins so.
        client.say(vec![0; 70_000]).await;
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
        while let Some(answer) = client.answer().await {
            // An answer without an id would be one that hyper gave past the gate.
            let is_ours = answer.header("x-request-id").is_some() || answer.status == 100;
            assert!(is_ours && answer.status < 500, "{shown:?}: {}", answer.head);
        }
    }
}

#[tokio::test]
async fn over_limit_with_expect_gets_no_100_h034() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    let head =
        "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n";
    client.say(head).await;
    assert_eq!(client.answer().await.unwrap().status, 413, "not 100 first");
    client.closed().await;
}

#[tokio::test]
async fn within_the_limit_expect_is_told_to_go_on() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client
        .say("POST /oauth2/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.unwrap().status, 100);
    client.say("hello").await;
    assert_eq!(client.answer().await.unwrap().body, "got 5");
}

#[tokio::test]
async fn heads_over_the_limits_say_which() {
    let server = server(|_| {});
    for (head, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(40_000)), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(40_000)), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: a\r\n".repeat(100)), 431),
        (format!("GET /livez HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: a\r\n".repeat(99)), 200),
        (format!("GET /livez HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(32_000)), 200),
    ] {
        let mut client = Raw::connect(server.address).await;
        client.say(&head).await;
        assert_eq!(client.answer().await.unwrap().status, status, "{head:.60}");
    }
}

#[tokio::test]
async fn more_headers_than_usual_pass_when_the_setting_says_so() {
    let server = server(|bounds| bounds.headers = 300);
    let mut client = Raw::connect(server.address).await;
    client.say(format!("GET /livez HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: a\r\n".repeat(250))).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_that_arrives_byte_by_byte_is_one_request() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    for byte in "\r\nPOST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".bytes() {
        client.say([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.unwrap().body, "got 5");
}

#[tokio::test]
async fn bodies_end_where_the_next_request_begins() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    let chunked = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nHost: evil\r\n\r\n";
    let sized = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET";
    client.say(format!("{chunked}{sized}{}", asking_for("/livez"))).await;
    let bodies = [client.answer().await, client.answer().await, client.answer().await];
    assert_eq!(bodies.map(|answer| answer.unwrap().body), ["got 5", "got 3", "ok"]);
}

#[tokio::test]
async fn http_10_is_answered_and_closed() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client.say("GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    client.closed().await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_400() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client.say("POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello").await;
    client.say_no_more().await;
    assert_eq!(client.answer().await.unwrap().status, 400);
    client.closed().await;
}
