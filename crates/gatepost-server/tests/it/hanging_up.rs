//! This file is where callers hang up before they have their answer: what was under way for them is dropped.

use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use gatepost_operations::limits::SetLimits;
use tokio::net::TcpStream;

use crate::asking::{ORIGIN, credentials};
use crate::cast::{C, INTEGER, S};
use crate::feed::{ANY_PORT, Wire, poll};
use crate::harness::TestServer;
use crate::limits::set;
use crate::resource_server::ResourceServer;
use crate::serving::{h2_client, h2_request};
use crate::sockets::{Raw, SOON, Server, asking_for, server, until};

/// Under way until it is released; it has a body, as all requests have that are dear.
const HELD: &str = "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";

/// A connection whose request is under way.
async fn held(server: &Server) -> Raw<TcpStream> {
    let mut client = Raw::connect(server.address).await;
    client.say(HELD).await;
    server.seen.begun.notified().await;
    client
}

fn given_up(server: &Server) -> u64 {
    server.metrics.snapshot().given_up
}

/// Waits until so many requests were given up and nobody is connected.
async fn until_gone(server: &Server, count: u64) {
    until("the work is dropped", || given_up(server) == count).await;
    until("the connection is ended", || server.metrics.snapshot().connections == 0).await;
}

fn was_begun(server: &Server) -> bool {
    server.seen.begun.notified().now_or_never().is_some()
}

#[tokio::test]
async fn work_is_dropped_when_its_caller_closes_resets_or_ends_its_stream() {
    let server = server(|_| {});
    drop(held(&server).await);
    until_gone(&server, 1).await;

    held(&server).await.reset();
    until_gone(&server, 2).await;

    let mut client = held(&server).await;
    client.say_no_more().await;
    assert!(client.answer().await.is_none());
    until_gone(&server, 3).await;
}

#[tokio::test]
async fn a_request_without_a_body_is_given_up_too_when_it_has_to_wait() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/held")).await;
    server.seen.begun.notified().await;
    drop(client);
    until_gone(&server, 1).await;
}

#[tokio::test]
async fn a_request_with_a_body_that_comes_with_the_end_of_its_stream_is_not_begun() {
    let server = server(|_| {});
    let mut client = Raw::with_its_end(server.address, HELD);
    assert!(client.answer().await.is_none());
    assert!(!was_begun(&server));
}

#[tokio::test]
async fn what_is_asked_without_a_body_and_answered_at_once_is_had_by_who_closes_its_side() {
    let server = server(|_| {});
    let mut client = Raw::with_its_end(server.address, "GET /livez HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().await.unwrap().body, "ok");
    client.closed().await;

    let mut several = Raw::with_its_end(server.address, asking_for("/livez").repeat(3));
    for _ in 0..3 {
        assert_eq!(several.answer().await.unwrap().body, "ok");
    }
    several.closed().await;

    // On a connection that is not new the end is known before the answer is made.
    let mut later = Raw::connect(server.address).await;
    later.say(asking_for("/livez")).await;
    assert_eq!(later.answer().await.unwrap().body, "ok");
    later.say(asking_for("/livez")).await;
    later.say_no_more().await;
    assert_eq!(later.answer().await.unwrap().body, "ok");
    later.closed().await;
    assert_eq!(given_up(&server), 0);
}

#[tokio::test]
async fn of_several_requests_sent_ahead_the_first_with_a_body_ends_the_answers() {
    let server = server(|_| {});
    let livez = asking_for("/livez");
    let mut client = Raw::with_its_end(server.address, format!("{livez}{HELD}{livez}"));
    assert_eq!(client.answer().await.unwrap().body, "ok");
    assert!(client.answer().await.is_none());
}

#[tokio::test]
async fn nothing_sent_behind_a_request_hides_that_its_caller_hangs_up() {
    let server = server(|_| {});
    let smuggled = asking_for("/admin/v1/clients");
    let behind =
        [smuggled.as_str(), "GET /li", "\0", "\r\n", HELD, "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"];
    for (count, behind) in (1..).zip(behind) {
        let mut client = held(&server).await;
        client.say(behind).await;
        // The server is given turns to read it before the end comes; were it not read by then, the row would be easier.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        drop(client);
        until_gone(&server, count).await;
    }
    assert!(!was_begun(&server));
    assert_eq!(server.seen.smuggled.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn requests_sent_ahead_wait_for_their_turn_and_all_get_it() {
    let server = server(|_| {});
    let mut client = held(&server).await;
    // Far more than is read ahead.
    client.say(asking_for("/livez").repeat(2_000)).await;
    client.say(HELD).await;
    client.say(asking_for("/livez")).await;
    assert_eq!(given_up(&server), 0);
    server.seen.release.notify_one();
    assert_eq!(client.answer().await.unwrap().body, "released");
    for _ in 0..2_000 {
        assert_eq!(client.answer().await.unwrap().body, "ok");
    }
    server.seen.begun.notified().await;
    server.seen.release.notify_one();
    assert_eq!(client.answer().await.unwrap().body, "released");
    assert_eq!(client.answer().await.unwrap().body, "ok");
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_its_place_to_another() {
    let server = server(|bounds| bounds.connections = 1);
    let first = held(&server).await;
    let mut second = Raw::connect(server.address).await;
    second.say(asking_for("/livez")).await;
    drop(first);
    assert_eq!(second.answer().await.unwrap().status, 200);
    assert_eq!(given_up(&server), 1, "not answered because its time was over");
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_keep_the_server_from_closing() {
    let server = server(|_| {});
    let mut client = held(&server).await;
    client.say(asking_for("/livez")).await;
    let closing = tokio::spawn(server.served.close(SOON));
    tokio::task::yield_now().await;
    drop(client);
    assert_eq!(closing.await.unwrap().cut, 0);
    assert_eq!(server.metrics.snapshot().given_up, 1);
}

#[tokio::test]
async fn a_stream_of_http2_that_is_reset_is_given_up_as_well() {
    let server = server(|_| {});
    let mut client = h2_client(&server).await;
    let asked = tokio::spawn(client.send_request(h2_request("GET", "/held", bytes::Bytes::new())));
    server.seen.begun.notified().await;
    asked.abort();
    until("the work is dropped", || given_up(&server) == 1).await;
}

/// A request for a token as it stands on the wire.
fn token_request(client: &str) -> String {
    let body = credentials(client, S).to_string();
    let length = body.len();
    format!(
        "POST {ORIGIN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn of_fifty_callers_that_ask_for_a_token_and_hang_up_none_is_signed_for() {
    let server = TestServer::start().await;
    set(&server, C, SetLimits { per_day: Some(100), ..SetLimits::default() }).await;
    let wire = Wire::of(&server, ANY_PORT);
    assert!(server.gate.hold_signing());
    let ask = async |client| {
        let mut caller = Raw::connect(wire.address).await;
        caller.say(token_request(client)).await;
        caller
    };
    let mut callers = Vec::new();
    for _ in 0..50 {
        callers.push(ask(C).await);
    }
    let mut stays = ask(INTEGER).await;
    until("all wait for a signature", || server.gate.waiting_to_be_signed() == 51).await;

    for (number, caller) in callers.into_iter().enumerate() {
        if number % 2 == 0 { drop(caller) } else { caller.reset() }
    }
    until("all are given up", || server.gate.metrics.snapshot().given_up == 50).await;
    server.gate.let_signing_go();

    assert_eq!(stays.answer().await.unwrap().status, 200);
    let mut late = ask(C).await;
    let answer = late.answer().await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("99"), "nobody else has used the quota");
    let counts = server.gate.metrics.snapshot();
    assert_eq!((counts.waits.count, counts.signatures, counts.given_up), (2, 2, 50));
}

#[tokio::test]
async fn an_api_that_hangs_up_while_it_waits_for_news_follows_no_more() {
    let server = TestServer::start().await;
    let wire = Wire::of(&server, ANY_PORT);
    let default = ResourceServer::of(&server.gate, "default").await;
    let first = server.send(poll(&default, 0)).await;
    let ask = poll(&default, 30).header("if-none-match", first.header("etag").unwrap());
    let headers: String = ask.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut follower = Raw::connect(wire.address).await;
    follower.say(format!("GET {} HTTP/1.1\r\nHost: a\r\n{headers}\r\n", ask.path)).await;
    until("the API waits", || server.gate.metrics.snapshot().connections == 1).await;
    drop(follower);
    until("it is given up", || server.gate.metrics.snapshot().given_up == 1).await;
    until("its place is free", || server.gate.metrics.snapshot().connections == 0).await;
}
