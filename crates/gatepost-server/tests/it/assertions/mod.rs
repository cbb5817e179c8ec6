//! This folder is where clients prove themselves by assertions at the standard door: each row, replays, key sets.

mod doors;
mod key_host;
mod key_sets;
mod replays;
mod rows;

use gatepost_core::actor::Actor;
use gatepost_core::clients::ClientKey;
use gatepost_core::clients::methods::private_key_jwt::ASSERTION_TYPE;
use gatepost_jose::{Algorithm, Jwk, RsaBits, SigningKey, sign};
use gatepost_operations::client_keys::{self, NewClientKey};
use gatepost_operations::clients::{self, ClientSettings};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::asking::{Ask, STANDARD_DOOR, form_of};
use crate::cast::C;
use crate::harness::{ISSUER, TestServer};
use crate::reply::Reply;

/// A client's program with its private key.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    pub(super) kid: Option<&'static str>,
}

impl Signer {
    /// One whose key nobody knows.
    pub(super) fn new() -> Self {
        Self { key: SigningKey::generate(Algorithm::Es256, RsaBits::B2048).unwrap(), kid: None }
    }

    /// One that calls its key so.
    pub(super) fn named(kid: &'static str) -> Self {
        Self { kid: Some(kid), ..Self::new() }
    }

    /// Its public key, under its name.
    pub(super) fn jwk(&self) -> Jwk {
        Jwk { kid: self.kid.map(str::to_owned), ..self.key.public().to_jwk() }
    }

    pub(super) fn header(&self) -> Value {
        let mut header = json!({ "alg": "ES256", "typ": "JWT" });
        if let Some(kid) = self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// An assertion with these claims.
    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_under(&self.header(), claims)
    }

    /// An assertion with this header too.
    pub(super) fn sign_under(&self, header: &Value, claims: &Value) -> String {
        sign::compact(&self.key, &header.to_string(), &claims.to_string()).unwrap()
    }

    /// A right assertion of client C with that id.
    pub(super) fn assertion(&self, server: &TestServer, jti: &str) -> String {
        self.sign(&claims(server, C, jti))
    }
}

/// The claims of a right assertion, valid for a minute.
pub(super) fn claims(server: &TestServer, client: &str, jti: &str) -> Value {
    let now = now(server);
    json!({ "iss": client, "sub": client, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti })
}

pub(super) fn now(server: &TestServer) -> i64 {
    server.gate.clock.now().seconds()
}

/// A server at which C has the signer's key.
pub(super) async fn server_knowing(signer: &Signer) -> TestServer {
    let server = TestServer::start().await;
    add(&server, C, signer).await;
    server
}

/// Gives a client the signer's key; its id.
pub(super) async fn add(server: &TestServer, client: &str, signer: &Signer) -> Uuid {
    let new = NewClientKey::Jwk { text: serde_json::to_string(&signer.jwk()).unwrap() };
    client_keys::add(&server.gate, &Actor::System, client, new).await.unwrap().key_id
}

/// Gives a client a key by the change alone, whatever an operation would say to it.
pub(super) async fn put(server: &TestServer, client: &str, key: ClientKey) {
    let client = gatepost_core::clients::ClientId::parse(client).unwrap();
    server.apply(vec![gatepost_core::change::Change::ClientKeyAdded { client, key }]).await;
}

/// Pins a client to one method.
pub(super) async fn pin(server: &TestServer, client: &str, method: &str) {
    let pin = ClientSettings { auth_method: Some(method.to_owned()), ..ClientSettings::default() };
    clients::update(&server.gate, &Actor::System, client, pin).await.unwrap();
}

/// The members of a request with an assertion.
pub(super) fn members(assertion: &str) -> Value {
    json!({
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    })
}

/// A request with an assertion.
pub(super) fn with(assertion: &str) -> Ask {
    Ask::post(STANDARD_DOOR).form(&form_of(&members(assertion)))
}

/// Sends an assertion.
pub(super) async fn send(server: &TestServer, assertion: &str) -> Reply {
    server.send(with(assertion)).await
}

/// Why the last refusal happened, as the journal has it.
pub(super) fn reason(server: &TestServer) -> String {
    server.gate.journal().refusals()[0].reason.clone()
}
