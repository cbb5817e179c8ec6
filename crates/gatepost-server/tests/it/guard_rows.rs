//! This file is where the guard's own rows are put to introspection and forward-auth: one list of tokens, three judges.
//!
//! The server holds the key that signs the rows, under the issuer and audience that they name, at the time they are of.

use gatepost_core::actor::Actor;
use gatepost_core::secret::Secret;
use gatepost_operations::{apis, keys};
use http::HeaderValue;
use serde_json::json;

use crate::asking::form_of;
use crate::harness::TestServer;
use crate::resource_server::ResourceServer;

macro_rules! of_the_guard {
    ($($name:ident $path:literal),*) => {$(
        #[allow(dead_code, reason = "the guard's own tests use the rest")]
        #[path = $path]
        pub(crate) mod $name;
    )*};
}

of_the_guard!(
    clock "../../../gatepost-guard/tests/it/clock.rs",
    jwks_server "../../../gatepost-guard/tests/it/jwks_server.rs",
    mint "../../../gatepost-guard/tests/it/mint.rs",
    rows "../../../gatepost-guard/tests/it/rows.rs",
    rows_algorithm "../../../gatepost-guard/tests/it/rows_algorithm.rs",
    rows_claims "../../../gatepost-guard/tests/it/rows_claims.rs",
    rows_header "../../../gatepost-guard/tests/it/rows_header.rs",
    rows_structure "../../../gatepost-guard/tests/it/rows_structure.rs"
);

use mint::{AUDIENCE, BOTH, ISSUER, Profile, key};
use rows::{Expected, Row};

const KEY: &str = include_str!("../../../gatepost-guard/tests/data/rsa.pem");

/// A server whose API of that profile verifies with the key of the rows.
async fn server(profile: Profile) -> (TestServer, ResourceServer) {
    let server = TestServer::of_issuer(ISSUER, clock::NOW * 1_000_000).await;
    let name = match profile {
        Profile::Passport => "default",
        Profile::Rfc9068 => {
            let request = apis::CreateApi {
                name: "ours".into(),
                audience: AUDIENCE.into(),
                profile: None,
                alg: Some("RS256".into()),
                ..apis::CreateApi::default()
            };
            apis::create(&server.gate, &Actor::System, request).await.unwrap();
            "ours"
        }
    };
    keys::import(&server.gate, &Actor::System, name, &Secret::new(KEY.into())).await.unwrap();
    let api = ResourceServer::of(&server.gate, name).await;
    (server, api)
}

async fn put(row: &Row, server: &TestServer, api: &ResourceServer) {
    let good = row.expected == Expected::Accepted;
    let reply = server.send(api.question(&row.token)).await;
    match reply.status {
        // Longer than a body may be.
        413 => assert!(!good && form_of(&json!({ "token": row.token })).len() > 64 << 10, "{}", row.what),
        status => {
            assert_eq!((status, reply.json()["active"] == true), (200, good), "{}", row.what);
            assert!(good || reply.text() == r#"{"active":false}"#, "{}", row.what);
        }
    }
    // What is no header value never reaches a server, and a blank before the token is allowed there.
    if HeaderValue::from_bytes(row.token.as_bytes()).is_ok() && !row.token.starts_with(' ') {
        let reply = server.send(api.proxied(&row.token)).await;
        assert_eq!(reply.status, if good { 200 } else { 401 }, "{}", row.what);
        assert_eq!(reply.header("x-client-id").is_some(), good, "{}", row.what);
    }
}

#[tokio::test]
async fn every_row_has_the_guard_s_verdict_at_introspection_and_forward_auth() {
    for profile in BOTH {
        let (server, api) = server(profile).await;
        assert!(api.accepts(&server, &profile.token(key())).await, "the token that all rows change is good");
        let categories = [rows_algorithm::rows, rows_header::rows, rows_structure::rows, rows_claims::rows];
        let rows: Vec<Row> = categories.iter().flat_map(|rows| rows(profile)).collect();
        assert!(rows.len() > 100);
        for row in &rows {
            put(row, &server, &api).await;
        }
    }
}

#[tokio::test]
async fn g024_g114_a_key_that_is_revoked_takes_remembered_verdicts_with_it() {
    for profile in BOTH {
        let (server, api) = server(profile).await;
        let token = profile.token(key());
        assert!(api.accepts(&server, &token).await);

        keys::revoke(&server.gate, &Actor::System, key().kid().as_str()).await.unwrap();
        assert!(!api.accepts(&server, &token).await);
    }
}

#[tokio::test]
async fn g114_a_remembered_verdict_dies_at_expiry() {
    for profile in BOTH {
        let (server, api) = server(profile).await;
        let token = profile.token_at(key(), clock::NOW, 600);
        assert!(api.accepts(&server, &token).await);

        server.clock.advance(659);
        assert!(api.accepts(&server, &token).await, "the leeway is a minute");
        server.clock.advance(1);
        assert!(!api.accepts(&server, &token).await);
    }
}

#[tokio::test]
async fn g083_g095_scopes_are_compared_whole_and_test_tokens_are_known() {
    for profile in BOTH {
        let (server, api) = server(profile).await;
        let mut draft = profile.draft(key());
        let (name, scopes) = profile.scopes(&["reader"]);
        draft.claims.set(name, &scopes);
        draft.claims.set("is_test", "true");
        let token = draft.sign(key());

        let ask = |more: &str| {
            let ask = api.proxied(&token);
            let path = format!("{}{more}", ask.path);
            crate::asking::Ask { path, ..ask }
        };
        for (more, status) in
            [("", 200), ("&scope=reader", 200), ("&scope=read", 403), ("&any=read", 403), ("&live=1", 403)]
        {
            assert_eq!(server.send(ask(more)).await.status, status, "{more}");
        }
    }
}
