//! This file is where right requests are cut and damaged at every byte: no damage breaks the server or opens a door.

use crate::asking::{Ask, DOORS, basic, credentials, form_of};
use crate::cast::{OURS, our_secret};
use crate::harness::TestServer;
use crate::reply::Reply;

/// A request of each kind, with the credentials at its end, so that every cut goes through them.
fn right(door: &str) -> Vec<Ask> {
    let members = credentials(OURS, &our_secret());
    let part = |name: &str| {
        let value = members[name].as_str().unwrap();
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts: String = ["grant_type", "client_id", "client_secret"].map(part).concat();
    vec![
        Ask::post(door).json(&members),
        Ask::post(door).form(&form_of(&members)),
        Ask::post(door).body("multipart/form-data; boundary=X", format!("{parts}--X--")),
    ]
}

fn is_sound(reply: &Reply) {
    assert!(reply.status < 500, "{} {}", reply.status, reply.text());
    assert!(!reply.text().contains(&our_secret()));
    if reply.status != 200 {
        assert!([400, 401].contains(&reply.status) && reply.json()["error"].is_string());
    }
}

#[tokio::test]
async fn a_body_cut_anywhere_before_its_end_gets_no_token() {
    let server = TestServer::patient().await;
    for ask in DOORS.iter().flat_map(|door| right(door)) {
        // What ends a multipart body after its last part is no part of the credentials.
        let whole = ask.body.len() - if ask.body.starts_with(b"--X") { "\r\n--X--".len() } else { 0 };
        for length in 0..whole {
            let reply = server.send(Ask { body: ask.body[..length].to_vec(), ..ask.clone() }).await;
            is_sound(&reply);
            assert_ne!(reply.status, 200, "cut at {length}: {}", String::from_utf8_lossy(&ask.body));
        }
    }
}

#[tokio::test]
async fn a_body_damaged_anywhere_breaks_nothing() {
    let server = TestServer::patient().await;
    for ask in DOORS.iter().flat_map(|door| right(door)) {
        for at in 0..ask.body.len() {
            for byte in [0x00, 0xff, b'"', b'&', b'\\', b'%'] {
                let mut body = ask.body.clone();
                body[at] = byte;
                is_sound(&server.send(Ask { body, ..ask.clone() }).await);
            }
        }
    }
}

#[tokio::test]
async fn a_basic_header_cut_anywhere_gets_no_token() {
    let server = TestServer::patient().await;
    let whole = basic(OURS, &our_secret());
    // Without padding, and without the last bits that belong to no byte, the credentials are still whole.
    let needed = whole.trim_end_matches('=').len();
    for door in DOORS {
        for length in 0..needed {
            let ask = Ask::post(door).header("authorization", &whole[..length]);
            let reply = server.send(ask.form("grant_type=client_credentials")).await;
            is_sound(&reply);
            assert_ne!(reply.status, 200, "cut at {length}");
        }
        let bare = Ask::post(door).header("authorization", &whole[..needed]);
        assert_eq!(server.send(bare.form("grant_type=client_credentials")).await.status, 200);
    }
}
