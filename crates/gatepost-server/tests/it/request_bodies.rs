//! This file is where bodies cost the server what it allows them to, and nothing where no body is taken.

use std::time::Duration;

use bytes::Bytes;
use gatepost_server::http::room::Room;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::asking::{Ask, ORIGIN, STANDARD_DOOR};
use crate::crowds::from;
use crate::harness::TestServer;
use crate::serving::{h2_client, h2_request};
use crate::sockets::{Raw, asking_for, server, until};

const HEAD: &str = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\n";

async fn begun(server: &crate::sockets::Server, bytes: usize) -> Raw<TcpStream> {
    begun_by(Raw::connect(server.address).await, bytes).await
}

async fn begun_by(mut client: Raw<TcpStream>, bytes: usize) -> Raw<TcpStream> {
    client.say(format!("{HEAD}Content-Length: 60000\r\n\r\n{}", "x".repeat(bytes))).await;
    client
}

#[tokio::test]
async fn bodies_over_the_bound_of_the_whole_server_are_503_at_once_and_others_go_on() {
    let room = Room::of(100_000);
    let bound = room.clone();
    let server = server(|bounds| bounds.bodies = bound);
    let mut first = begun(&server, 50_000).await;
    until("the first body is held", || room.left() < 50_000).await;
    let mut second = begun(&server, 55_000).await;
    let answer = second.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert!(answer.body.contains("temporarily_unavailable"), "{}", answer.body);
    second.closed().await;

    let mut without = Raw::connect(server.address).await;
    without.say(asking_for("/livez")).await;
    assert_eq!(without.answer().await.unwrap().status, 200);
    first.say("x".repeat(10_000)).await;
    assert_eq!(first.answer().await.unwrap().body, "got 60000");
    until("all is given back", || room.left() == 100_000).await;
}

#[tokio::test]
#[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is this machine
async fn a_peer_that_has_taken_its_share_leaves_the_rest_to_others() {
    let room = Room::of(400_000);
    let bound = room.clone();
    let server = server(|bounds| {
        bounds.bodies = bound;
        bounds.bodies_per_peer = 100_000;
    });
    let _first = begun(&server, 50_000).await;
    until("the first body is held", || room.left() < 350_001).await;
    let mut second = begun(&server, 55_000).await;
    assert_eq!(second.answer().await.unwrap().status, 503, "the peer's share is used up");
    let mut other = begun_by(from("127.0.0.2", &server).await, 60_000).await;
    assert_eq!(other.answer().await.unwrap().body, "got 60000");
}

#[tokio::test]
async fn a_trusted_proxy_is_no_peer_with_a_share() {
    let room = Room::of(400_000);
    let bound = room.clone();
    let server = server(|bounds| {
        bounds.bodies = bound;
        bounds.bodies_per_peer = 100_000;
        bounds.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    });
    let _first = begun(&server, 50_000).await;
    until("the first body is held", || room.left() < 350_001).await;
    let mut second = begun(&server, 60_000).await;
    assert_eq!(second.answer().await.unwrap().body, "got 60000");
}

#[tokio::test]
async fn a_length_that_is_only_announced_sets_nothing_aside() {
    let room = Room::of(100_000);
    let bound = room.clone();
    let server = server(|bounds| bounds.bodies = bound);
    let mut announced = Vec::new();
    for _ in 0..20 {
        announced.push(begun(&server, 0).await);
    }
    until("all are connected", || server.metrics.snapshot().connections == 20).await;
    let mut honest = begun(&server, 60_000).await;
    assert_eq!(honest.answer().await.unwrap().body, "got 60000");
}

#[tokio::test]
async fn a_peer_that_goes_away_gives_its_room_back() {
    let room = Room::of(100_000);
    let bound = room.clone();
    let server = server(|bounds| bounds.bodies = bound);
    let client = begun(&server, 50_000).await;
    until("the body is held", || room.left() < 50_001).await;
    drop(client);
    until("all is given back", || room.left() == 100_000).await;
}

#[tokio::test]
async fn one_http2_connection_holds_a_few_hundred_kilobytes_however_many_streams_it_opens() {
    const ALL: usize = 64 << 20;
    let room = Room::of(ALL);
    let bound = room.clone();
    let server = server(|bounds| {
        bounds.bodies = bound;
        bounds.request_timeout = Duration::from_secs(2);
    });
    let client = h2_client(&server).await;
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..120 {
        let mut client = client.clone();
        streams.spawn(async move {
            let mut request = h2_request("POST", "/oauth2/token", Bytes::from(vec![b'x'; 65_000]));
            // One byte more is announced than comes: the stream stays open until its time is over.
            request.headers_mut().insert("content-length", "65001".parse().unwrap());
            client.ready().await.ok()?;
            client.send_request(request).await.ok()
        });
    }
    let mut most = 0;
    while let Some(done) = {
        most = most.max(ALL - room.left());
        streams.join_next().await
    } {
        drop(done);
    }
    assert!(most <= 512 << 10, "{most} bytes were held");
    until("all is given back", || room.left() == ALL).await;
}

#[tokio::test]
async fn many_honest_streams_of_one_connection_are_all_answered() {
    let server = server(|_| {});
    let mut client = h2_client(&server).await;
    // With the first answer the client has learnt how many streams it may open.
    client.send_request(h2_request("GET", "/livez", Bytes::new())).await.unwrap();
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let mut client = client.clone();
        streams.spawn(async move {
            let request = h2_request("POST", "/oauth2/token", Bytes::from(vec![b'x'; 1_000]));
            client.ready().await.unwrap();
            client.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes()
        });
    }
    while let Some(body) = streams.join_next().await {
        assert_eq!(body.unwrap(), "got 1000");
    }
}

#[tokio::test]
async fn as_many_streams_as_clients_open_before_they_are_told_how_many_are_all_answered() {
    let server = server(|_| {});
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (client, connection) =
        http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let ask = |mut client: http2::SendRequest<_>| async move {
        let response = client.send_request(h2_request("GET", "/livez", Bytes::new())).await;
        response.map(|response| response.status())
    };
    // All are on their way before the connection is first looked at.
    let asked = futures_util::future::join_all((0..100).map(|_| ask(client.clone())));
    let first_look = async {
        tokio::spawn(connection);
    };
    let (answers, ()) = futures_util::future::join(asked, first_look).await;
    for answer in answers {
        assert_eq!(answer.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_method_is_judged_before_size_and_encoding_of_the_body() {
    let server = TestServer::start().await;
    let large = "x".repeat(70_000);
    for (path, method) in [(ORIGIN, "GET"), (STANDARD_DOOR, "PUT"), ("/.well-known/jwks.json", "POST")] {
        let ask = || Ask::new(method, path);
        let compressed = server.send(ask().header("content-encoding", "gzip").body("text/plain", "x")).await;
        assert_eq!(compressed.status, 405, "{method} {path} compressed");
        let reply = server.send(ask().body("text/plain", large.clone())).await;
        assert_eq!(reply.status, 405, "{method} {path} large");
        assert!(reply.header("allow").is_some());
    }
}

#[tokio::test]
async fn where_nothing_is_sent_no_body_is_asked_for() {
    let server = server(|_| {});
    let mut client = Raw::connect(server.address).await;
    client
        .say("GET /oauth2/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.unwrap().status, 405, "not 100 first");
}

#[tokio::test]
async fn each_door_dresses_what_is_wrong_with_a_body() {
    let server = TestServer::start().await;
    let large = "x".repeat(65_537);
    let origin = server.send(Ask::post(ORIGIN).form(&large)).await;
    assert_eq!(origin.status, 413);
    assert!(origin.json()["message"].is_string(), "{}", origin.text());
    let standard = server.send(Ask::post(STANDARD_DOOR).form(&large)).await;
    assert_eq!(standard.status, 413);
    assert_eq!(standard.json()["error_description"], "the request body is too large");
    assert!(standard.json()["error_uri"].is_string(), "{}", standard.text());
    let compressed =
        server.send(Ask::post(STANDARD_DOOR).header("content-encoding", "gzip").form("a=b")).await;
    assert_eq!(compressed.status, 415);
    assert!(compressed.json()["error_uri"].is_string(), "{}", compressed.text());
}
