//! This file is where keys are taken from the addresses that clients publish them at, and where they are not.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use gatepost_core::actor::Actor;
use gatepost_core::clients::{ClientKey, ClientKeyId, KeyMaterial};
use gatepost_operations::background::{key_sets, warming};
use gatepost_operations::client_jwks;
use gatepost_operations::client_keys::{self, NewClientKey};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::key_host::KeyHost;
use super::{Signer, put, reason, send};
use crate::asking::{Ask, STANDARD_DOOR, credentials};
use crate::cast::{C, OURS, our_secret};
use crate::harness::TestServer;

/// A server that may fetch from this machine and believes the host's authority.
async fn server_allowing(host: &KeyHost, allow: &str) -> TestServer {
    let authority = host.authority();
    let settings = [("clients.jwks_uri_allow", allow), ("clients.jwks_uri_ca", authority.to_str().unwrap())];
    TestServer::with(&settings).await
}

async fn add_uri(server: &TestServer, uri: String) {
    client_keys::add(&server.gate, &Actor::System, C, NewClientKey::JwksUri(uri)).await.unwrap();
    warming::warm(&server.gate).await.unwrap();
}

/// What goes on beside the requests of a running server.
async fn look_around(server: &TestServer) {
    client_jwks::renew_due(&server.gate).await;
}

/// Stores an address that no operation would let in, as an older version might have.
async fn put_uri(server: &TestServer, uri: String) {
    let material = KeyMaterial::JwksUri(uri);
    put(
        server,
        C,
        ClientKey { id: ClientKeyId(Uuid::from_u128(1)), material, created: server.gate.clock.now() },
    )
    .await;
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    host.publishes(&[signer.jwk()], 600);
    for (allow, name) in [("127.0.0.0/8", "127.0.0.1"), ("localhost", "localhost")] {
        let before = host.callers();
        let server = server_allowing(&host, allow).await;
        add_uri(&server, host.uri(name)).await;
        look_around(&server).await;
        for jti in ["1", "2", "3"] {
            send(&server, &signer.assertion(&server, jti)).await.token();
        }
        assert_eq!(host.callers() - before, 1, "{name}");
    }
}

#[tokio::test]
async fn a_client_changes_its_keys_by_itself() {
    let (host, old, new) = (KeyHost::start().await, Signer::named("old"), Signer::named("new"));
    let server = server_allowing(&host, "127.0.0.1").await;
    add_uri(&server, host.uri("127.0.0.1")).await;
    host.publishes(&[old.jwk()], 600);
    look_around(&server).await;
    send(&server, &old.assertion(&server, "1")).await.token();

    host.publishes(&[old.jwk(), new.jwk()], 600);
    server.clock.advance(31);
    // A key that is not known yet is refused at once; who named it made the server look.
    until_granted(&server, &new).await;
    send(&server, &old.assertion(&server, "3")).await.token();
    assert_eq!(host.callers(), 2);

    host.publishes(&[new.jwk()], 600);
    server.pass(601).await;
    look_around(&server).await;
    assert_eq!(send(&server, &old.assertion(&server, "4")).await.status, 401, "withdrawn");
    send(&server, &new.assertion(&server, "5")).await.token();
}

#[tokio::test]
async fn made_up_key_ids_send_no_storm_to_the_host() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    let server = server_allowing(&host, "127.0.0.1").await;
    add_uri(&server, host.uri("127.0.0.1")).await;
    host.publishes(&[signer.jwk()], 600);
    look_around(&server).await;
    send(&server, &signer.assertion(&server, "1")).await.token();
    for turn in 0..50 {
        let stranger = Signer::named("made-up");
        let refused = send(&server, &stranger.assertion(&server, "2")).await.status;
        // The tenth and last at once is the limit of failures.
        assert_eq!(refused, if turn < 10 { 401 } else { 429 });
    }
    assert_eq!(host.callers(), 1);
}

#[tokio::test]
async fn without_the_setting_this_machine_is_never_connected_to() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    host.publishes(&[signer.jwk()], 600);
    for name in ["127.0.0.1", "localhost", "localhost.", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let server = TestServer::start().await;
        let uri = host.uri(name);
        let refused =
            client_keys::add(&server.gate, &Actor::System, C, NewClientKey::JwksUri(uri.clone())).await;
        assert_eq!(refused.unwrap_err().code, "client_key.jwks_uri", "{name}");

        put_uri(&server, uri).await;
        warming::warm(&server.gate).await.unwrap();
        look_around(&server).await;
        assert_eq!(send(&server, &signer.assertion(&server, "1")).await.status, 401, "{name}");
    }
    assert_eq!(host.callers(), 0);
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_believed() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    host.publishes(&[signer.jwk()], 600);
    let server = TestServer::with(&[("clients.jwks_uri_allow", "127.0.0.1")]).await;
    add_uri(&server, host.uri("127.0.0.1")).await;
    look_around(&server).await;
    assert_eq!(send(&server, &signer.assertion(&server, "1")).await.status, 401);
    assert_eq!(host.callers(), 1);
}

#[tokio::test]
async fn answers_that_are_no_plain_key_set_bring_no_keys() {
    let signer = Signer::named("k1");
    let set = serde_json::json!({ "keys": [signer.jwk()] }).to_string();
    let padded = format!("{}{set}", " ".repeat(64 * 1024));
    let (elsewhere, host) = (KeyHost::start().await, KeyHost::start().await);
    elsewhere.publishes(&[signer.jwk()], 600);
    let redirect = format!("Location: {}\r\n", elsewhere.uri("127.0.0.1"));
    const JSON: &str = "Content-Type: application/json\r\n";
    for (status, headers, body) in [
        ("302 Found", redirect.as_str(), ""),
        ("500 Internal Server Error", JSON, set.as_str()),
        ("200 OK", "Content-Type: text/html\r\n", &set),
        ("200 OK", "", &set),
        ("200 OK", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", &set),
        ("200 OK", JSON, &padded),
        ("200 OK", JSON, "[]"),
        ("200 OK", JSON, ""),
    ] {
        let server = server_allowing(&host, "127.0.0.1").await;
        add_uri(&server, host.uri("127.0.0.1")).await;
        host.says(status, headers, body);
        look_around(&server).await;
        let reply = send(&server, &signer.assertion(&server, "1")).await;
        assert_eq!(reply.outcome(), (401, "invalid_client".to_owned()), "{status} {headers}");

        host.publishes(&[signer.jwk()], 600);
        server.clock.advance(61);
        look_around(&server).await;
        send(&server, &signer.assertion(&server, "2")).await.token();
    }
    assert_eq!(elsewhere.callers(), 0, "redirects are not followed");
}

#[tokio::test]
async fn keys_at_hand_count_while_their_host_is_away_and_no_other_client_is_hurt() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    let server = server_allowing(&host, "127.0.0.1").await;
    add_uri(&server, host.uri("127.0.0.1")).await;
    host.publishes(&[signer.jwk()], 60);
    look_around(&server).await;
    send(&server, &signer.assertion(&server, "1")).await.token();

    host.says("503 Service Unavailable", "", "");
    server.pass(3_600).await;
    look_around(&server).await;
    send(&server, &signer.assertion(&server, "2")).await.token();
    server.pass(25 * 3_600).await;
    look_around(&server).await;
    assert_eq!(send(&server, &signer.assertion(&server, "3")).await.status, 401);
    assert!(reason(&server).contains("no key with the token's kid"), "{}", reason(&server));
    server.send(Ask::post(STANDARD_DOOR).json(&credentials(OURS, &our_secret()))).await.token();
}

/// Sends assertions of that signer until one is good.
async fn until_granted(server: &TestServer, signer: &Signer) {
    let granted = async {
        for turn in 0_u64.. {
            let jti = format!("turn {turn}");
            if send(server, &signer.assertion(server, &jti)).await.status == 200 {
                return;
            }
            // The fetch goes on beside the requests.
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), granted).await.unwrap();
}

#[tokio::test]
async fn who_names_a_client_to_see_whether_it_exists_waits_for_no_fetch() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = [("clients.jwks_uri_allow", "127.0.0.1"), ("limits.failed_per_client", "0")];
    let server = TestServer::with(&settings).await;
    let uri = format!("https://127.0.0.1:{}/keys.json", silent.local_addr().unwrap().port());
    add_uri(&server, uri).await;

    let stranger = Signer::named("made up");
    let claims = super::claims(&server, "11111111-1111-4111-8111-111111111111", "1");
    let unknown = send(&server, &stranger.sign(&claims)).await;
    for jti in 0..20 {
        let known = send(&server, &stranger.assertion(&server, &jti.to_string())).await;
        assert_eq!(known.bytes_seen(), unknown.bytes_seen());
    }
    // All have been answered, and the one fetch that they began is still under way: who gives it up hangs up.
    let (mut stream, _) = silent.accept().await.unwrap();
    assert!(silent.accept().now_or_never().is_none(), "there was one only");
    let mut hello = [0; 8_192];
    assert!(stream.read(&mut hello).await.unwrap() > 0);
    let more = stream.try_read(&mut hello).map_err(|error| error.kind());
    assert_eq!(more, Err(ErrorKind::WouldBlock));
}

#[tokio::test]
async fn the_first_assertion_after_a_start_finds_the_keys_of_its_client() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    host.publishes(&[signer.jwk()], 600);
    let server = server_allowing(&host, "127.0.0.1").await;
    add_uri(&server, host.uri("127.0.0.1")).await;

    let restarted = server.another_server().await;
    let tasks = [key_sets::start, warming::start].map(|task| task(Arc::clone(&restarted.gate)));
    send(&restarted, &signer.assertion(&restarted, "1")).await.token();
    assert_eq!(host.callers(), 1);
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}
