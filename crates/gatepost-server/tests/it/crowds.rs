//! This file is where more connections come than there is room for.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::sockets::{Raw, Server, asking_for, server, until};

const SHORT: Duration = Duration::from_millis(400);

/// A connection that has asked once and is idle now.
async fn idle(server: &Server) -> Raw<TcpStream> {
    let mut client = Raw::connect(server.address).await;
    asks(&mut client).await;
    client
}

async fn asks(client: &mut Raw<TcpStream>) {
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
}

/// A connection whose request has begun and does not end.
async fn busy(server: &Server) -> Raw<TcpStream> {
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/held")).await;
    server.seen.begun.notified().await;
    client
}

/// A connection from another address of this machine.
pub(crate) async fn from(address: &str, server: &Server) -> Raw<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
    Raw::new(socket.connect(server.address).await.unwrap())
}

#[tokio::test]
async fn at_the_cap_the_connection_that_has_been_idle_longest_makes_room() {
    let server = server(|bounds| bounds.connections = 2);
    let mut first = idle(&server).await;
    let mut second = idle(&server).await;
    // Times are told apart by the millisecond.
    let counted = std::time::Instant::now();
    until("a few milliseconds have passed", || counted.elapsed() > Duration::from_millis(5)).await;
    asks(&mut first).await;
    let mut third = idle(&server).await;
    second.closed().await;
    asks(&mut first).await;
    asks(&mut third).await;
}

#[tokio::test]
async fn while_all_are_busy_the_next_connection_waits_until_one_ends() {
    let server = server(|bounds| bounds.connections = 2);
    let mut first = busy(&server).await;
    let _second = busy(&server).await;
    let mut third = Raw::connect(server.address).await;
    third.say(asking_for("/livez")).await;
    assert!(timeout(SHORT, third.answer()).await.is_err(), "the third connection is not served yet");
    assert_eq!(server.metrics.snapshot().connections, 2);
    server.seen.release.notify_one();
    assert_eq!(first.answer().await.unwrap().body, "released");
    assert_eq!(third.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn silent_connections_keep_nobody_out() {
    let server = server(|bounds| bounds.connections = 10);
    let mut silent = Vec::new();
    for _ in 0..30 {
        let mut client = Raw::connect(server.address).await;
        client.say("POST /oauth2/token HTTP/1.1\r\nHost:").await;
        silent.push(client);
    }
    drop(idle(&server).await);
}

/// Connections of this machine whose requests lie in their sockets before the server has seen any of them.
fn unread(server: &Server, count: usize, request: &str) -> Vec<Raw<TcpStream>> {
    let connect = |_| {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Raw::new(TcpStream::from_std(stream).unwrap())
    };
    (0..count).map(connect).collect()
}

#[tokio::test]
async fn a_request_that_was_sent_is_answered_though_its_peer_floods() {
    let server = server(|bounds| bounds.connections_per_peer = 4);
    for mut client in unread(&server, 20, &asking_for("/livez")) {
        assert_eq!(client.answer().await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_flood_of_silent_connections_comes_down_to_the_bound() {
    let server = server(|bounds| bounds.connections_per_peer = 4);
    let _silent = unread(&server, 100, "POST /oauth2/token HTTP/1.1\r\nHost:");
    // Who is served after them has been let in after them.
    drop(idle(&server).await);
    until("only the bound is left", || server.metrics.snapshot().connections <= 4).await;
}

#[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is this machine
#[tokio::test]
async fn a_peer_at_its_bound_loses_its_own_connections_and_nobody_elses() {
    let server = server(|bounds| bounds.connections_per_peer = 2);
    let mut other = from("127.0.0.2", &server).await;
    asks(&mut other).await;
    let mut first = idle(&server).await;
    let _second = busy(&server).await;
    let _third = busy(&server).await;
    first.closed().await;

    let mut fourth = Raw::connect(server.address).await;
    fourth.closed().await;
    asks(&mut other).await;
    asks(&mut from("127.0.0.3", &server).await).await;
}

#[tokio::test]
async fn a_trusted_proxy_may_have_more_connections_than_a_peer() {
    let server = server(|bounds| {
        bounds.connections_per_peer = 1;
        bounds.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let (mut first, mut second) = (idle(&server).await, idle(&server).await);
    asks(&mut first).await;
    asks(&mut second).await;
}
