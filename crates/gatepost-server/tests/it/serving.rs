//! This file is where a listener shows its manners: limits, time, panics, logs, HTTP/2 and the end of the server.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use gatepost_server::connections::listen::{BindError, Listener};
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::sockets::{Raw, SOON, Server, asking_for, server, until};

/// For what the server does by itself when the time is over: the test only waits for it.
const SHORT: Duration = Duration::from_millis(400);
/// For what the test itself has to be in time for, on a busy machine too.
const A_WHILE: Duration = Duration::from_secs(2);

fn post(length: usize) -> String {
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{}",
        "x".repeat(length)
    )
}

#[tokio::test]
async fn every_answer_carries_our_request_id_and_never_the_callers() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    for path in ["/livez", "/nowhere", "/oauth2/token"] {
        client.say(format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n")).await;
        let answer = client.answer().await.unwrap();
        assert!(answer.header("x-request-id").unwrap().starts_with("id-"), "{}", answer.head);
        assert!(!answer.head.contains("mine"), "{}", answer.head);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("server"), None);
    }
}

#[tokio::test]
async fn exactly_the_body_limit_is_allowed_and_one_byte_more_is_413() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client.say(post(65_536)).await;
    assert_eq!(client.answer().await.unwrap().body, "got 65536");
    client.say(post(65_537)).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 413);
    assert!(answer.body.starts_with(r#"{"error":"invalid_request","#), "{}", answer.body);
    client.closed().await;
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_413() {
    let server = server(|bounds| bounds.body = 10);
    let mut client = Raw::connect(server.address).await;
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.say(format!("{head}6\r\nabcdef\r\n5\r\nghijk\r\n")).await;
    assert_eq!(client.answer().await.unwrap().status, 413);
    client.closed().await;
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_sent_gets_through() {
    let server = server(|_| {});
    for _ in 0..5 {
        let mut client = Raw::connect(server.address).await;
        client.say(post(2 << 20)).await;
        assert_eq!(client.answer().await.map(|answer| answer.status), Some(413), "not a reset");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let server = server(|bounds| bounds.request_timeout = SHORT);
    let mut client = Raw::connect(server.address).await;
    client.say("POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe").await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 408);
    client.closed().await;
    assert_eq!(server.metrics.snapshot().timed_out, 1);
}

#[tokio::test]
async fn a_handler_that_does_not_answer_is_503_with_retry_after() {
    let server = server(|bounds| bounds.request_timeout = SHORT);
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/never")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    client.say(asking_for("/livez")).await;
    assert!(client.answer().await.is_some(), "the connection lives on");
}

#[tokio::test]
async fn a_panic_is_one_500_that_tells_nothing_and_no_dead_server() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/panic")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains("gp_live"), "{}", answer.body);
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    assert_eq!(server.metrics.snapshot().panics, 1);
}

#[tokio::test]
async fn trace_and_connect_are_405_and_echo_nothing() {
    let server = server(|_| {});
    for request in [
        "TRACE /livez HTTP/1.1\r\nHost: a\r\nX: secret\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    ] {
        let mut client = Raw::connect(server.address).await;
        client.say(request).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").is_some());
        assert!(!answer.head.contains("secret") && !answer.body.contains("secret"));
    }
}

#[tokio::test]
async fn compressed_bodies_are_415_and_identity_is_none() {
    let server = server(|_| {});
    for (encoding, status) in [("gzip", 415), ("br, deflate", 415), ("identity", 200), ("Identity", 200)] {
        let mut client = Raw::connect(server.address).await;
        client
            .say(format!(
                "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\nab"
            ))
            .await;
        assert_eq!(client.answer().await.unwrap().status, status, "{encoding}");
    }
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed() {
    let strict = server(|bounds| bounds.header_timeout = SHORT);
    let mut silent = Raw::connect(strict.address).await;
    silent.closed().await;

    let server = server(|bounds| bounds.idle_timeout = SHORT);
    let mut idle = Raw::connect(server.address).await;
    idle.say(asking_for("/livez")).await;
    assert_eq!(idle.answer().await.unwrap().status, 200);
    idle.closed().await;
}

#[tokio::test]
async fn an_idle_connection_outlives_the_time_for_a_head() {
    let server = server(|bounds| bounds.header_timeout = A_WHILE);
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    // Another connection is timed out meanwhile: so much time has passed.
    Raw::connect(server.address).await.closed().await;
    Raw::connect(server.address).await.closed().await;
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_slow_second_head_is_408_too() {
    let server = server(|bounds| bounds.header_timeout = A_WHILE);
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    client.say("GET /livez HTTP/1.1\r\nHo").await;
    assert_eq!(client.answer().await.unwrap().status, 408);
    client.closed().await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_cut() {
    let server = server(|bounds| {
        bounds.idle_timeout = SHORT;
        bounds.request_timeout = SHORT;
    });
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/large")).await;
    until("the connection is counted", || server.metrics.snapshot().connections == 1).await;
    until("the connection is cut", || server.metrics.snapshot().connections == 0).await;
}

#[tokio::test]
async fn a_taken_port_is_an_error_with_the_address() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = first.local_addr();
    let error = Listener::bind(address).unwrap_err();
    assert!(matches!(error, BindError::Taken(taken) if taken == address), "{error}");
    assert!(error.to_string().contains(&address.to_string()));
    let nowhere = Listener::bind("192.0.2.1:8460".parse().unwrap()).unwrap_err();
    assert!(matches!(nowhere, BindError::NotHere(_)), "{nowhere}");
}

#[tokio::test]
async fn closing_finishes_what_was_begun_and_lets_nobody_in() {
    let server = server(|_| {});
    let mut busy = Raw::connect(server.address).await;
    let mut idle = Raw::connect(server.address).await;
    idle.say(asking_for("/livez")).await;
    assert_eq!(idle.answer().await.unwrap().status, 200);
    busy.say(asking_for("/held")).await;
    server.seen.begun.notified().await;

    let Server { served, address, seen, .. } = server;
    let closing = tokio::spawn(served.close(SOON));
    idle.closed().await;
    until_closed(address).await;
    seen.release.notify_one();
    let answer = busy.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "released"));
    assert_eq!(answer.header("connection"), Some("close"));
    busy.closed().await;
    assert_eq!(closing.await.unwrap().cut, 0);
}

#[tokio::test]
async fn a_request_that_is_on_its_way_when_the_server_closes_is_answered() {
    let server = server(|_| {});
    let mut fresh = Raw::connect(server.address).await;
    let mut silent = Raw::connect(server.address).await;
    until("both are accepted", || server.metrics.snapshot().connections == 2).await;

    let Server { served, address, .. } = server;
    let closing = tokio::spawn(served.close(SOON));
    until_closed(address).await;
    fresh.say(asking_for("/livez")).await;
    let answer = fresh.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    fresh.closed().await;
    silent.closed().await;
    assert_eq!(closing.await.unwrap().cut, 0);
}

#[tokio::test]
async fn connections_the_kernel_has_let_in_are_served_when_the_server_closes() {
    let server = server(|_| {});
    let mut waiting = Vec::new();
    // Nothing of the server runs in this thread until the next wait: all of them are still in the kernel's queue.
    for _ in 0..20 {
        let stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut client = Raw::new(TcpStream::from_std(stream).unwrap());
        client.say(asking_for("/livez")).await;
        waiting.push(client);
    }
    let closed = server.served.close(SOON).await;
    assert_eq!(closed.cut, 0);
    for mut client in waiting {
        assert_eq!(client.answer().await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn after_the_grace_what_is_left_is_cut() {
    let server = server(|_| {});
    let mut busy = Raw::connect(server.address).await;
    busy.say(asking_for("/held")).await;
    server.seen.begun.notified().await;
    let closed = timeout(SOON, server.served.close(SHORT)).await.unwrap();
    assert_eq!(closed.cut, 1);
    assert!(busy.answer().await.is_none());
}

pub(crate) async fn h2_client(server: &Server) -> http2::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) fn h2_request(method: &str, path: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(format!("http://a{path}")).body(Full::new(body)).unwrap()
}

#[tokio::test]
async fn http2_is_spoken_with_the_same_manners() {
    let server = server(|_| {});
    let mut client = h2_client(&server).await;

    let response = client.send_request(h2_request("GET", "/livez", Bytes::new())).await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");

    let body = Bytes::from(vec![b'x'; 65_536]);
    let response = client.send_request(h2_request("POST", "/oauth2/token", body)).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "got 65536");

    let body = Bytes::from(vec![b'x'; 65_537]);
    let response = client.send_request(h2_request("POST", "/oauth2/token", body)).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!response.headers().contains_key("connection"));
}

#[tokio::test]
async fn http2_requests_that_name_two_hosts_are_400() {
    let server = server(|_| {});
    let mut client = h2_client(&server).await;
    for (host, status) in [("evil", 400), ("a", 200)] {
        let mut request = h2_request("GET", "/livez", Bytes::new());
        request.headers_mut().insert("host", host.parse().unwrap());
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn an_idle_http2_connection_outlives_the_time_for_a_head() {
    let server = server(|bounds| bounds.header_timeout = A_WHILE);
    let mut client = h2_client(&server).await;
    for _ in 0..2 {
        let response = client.send_request(h2_request("GET", "/livez", Bytes::new())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Raw::connect(server.address).await.closed().await;
        Raw::connect(server.address).await.closed().await;
    }
}

#[tokio::test]
async fn http2_streams_in_flight_finish_when_the_server_closes() {
    let server = server(|_| {});
    let mut client = h2_client(&server).await;
    let held = tokio::spawn(client.send_request(h2_request("GET", "/held", Bytes::new())));
    server.seen.begun.notified().await;

    let Server { served, address, seen, .. } = server;
    let closing = tokio::spawn(served.close(SOON));
    until_closed(address).await;
    seen.release.notify_one();
    assert_eq!(held.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(closing.await.unwrap().cut, 0);
    let after = client.send_request(h2_request("GET", "/livez", Bytes::new())).await;
    assert!(after.is_err(), "the connection is gone");
}

async fn until_closed(address: SocketAddr) {
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(SOON, refused).await.expect("the door was not closed");
}
