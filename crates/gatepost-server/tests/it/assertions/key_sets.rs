//! This file is where keys are taken from the addresses that clients publish them at, and where they are not.

use gatepost_core::actor::Actor;
use gatepost_core::clients::{ClientKey, ClientKeyId, KeyMaterial};
use gatepost_operations::client_keys::{self, NewClientKey};
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
    send(&server, &old.assertion(&server, "1")).await.token();

    host.publishes(&[old.jwk(), new.jwk()], 600);
    server.clock.advance(31);
    send(&server, &new.assertion(&server, "2")).await.token();
    send(&server, &old.assertion(&server, "3")).await.token();
    assert_eq!(host.callers(), 2);

    host.publishes(&[new.jwk()], 600);
    server.pass(601).await;
    assert_eq!(send(&server, &old.assertion(&server, "4")).await.status, 401, "withdrawn");
    send(&server, &new.assertion(&server, "5")).await.token();
}

#[tokio::test]
async fn made_up_key_ids_send_no_storm_to_the_host() {
    let (host, signer) = (KeyHost::start().await, Signer::named("k1"));
    let server = server_allowing(&host, "127.0.0.1").await;
    add_uri(&server, host.uri("127.0.0.1")).await;
    host.publishes(&[signer.jwk()], 600);
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
        let reply = send(&server, &signer.assertion(&server, "1")).await;
        assert_eq!(reply.outcome(), (401, "invalid_client".to_owned()), "{status} {headers}");

        host.publishes(&[signer.jwk()], 600);
        server.clock.advance(6);
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
    send(&server, &signer.assertion(&server, "1")).await.token();

    host.says("503 Service Unavailable", "", "");
    server.pass(3_600).await;
    send(&server, &signer.assertion(&server, "2")).await.token();
    server.pass(25 * 3_600).await;
    assert_eq!(send(&server, &signer.assertion(&server, "3")).await.status, 401);
    assert!(reason(&server).contains("no key with the token's kid"), "{}", reason(&server));
    server.send(Ask::post(STANDARD_DOOR).json(&credentials(OURS, &our_secret()))).await.token();
}
