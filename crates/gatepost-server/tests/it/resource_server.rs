//! This file is where a test acts as an API: it asks about tokens, and as the proxy in front of one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepost_core::actor::Actor;
use gatepost_jose::sign::SigningInput;
use gatepost_jose::{SigningKey, sign};
use gatepost_operations::api_secrets;
use gatepost_operations::gate::Gate;
use gatepost_operations::secrets::AddSecret;
use serde_json::Value;

use crate::asking::{Ask, STANDARD_DOOR, credentials, form_of};
use crate::harness::{TestServer, api};
use crate::reply::Token;

/// An API with a secret.
pub(crate) struct ResourceServer {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl ResourceServer {
    pub(crate) async fn of(gate: &Gate, name: &str) -> Self {
        let added = api_secrets::add(gate, &Actor::System, name, AddSecret::default()).await.unwrap();
        let id = api(gate, name).0.to_string();
        Self { name: name.to_owned(), id, secret: added.secret.expose().to_owned() }
    }

    pub(crate) fn question(&self, token: &str) -> Ask {
        let form = form_of(&serde_json::json!({ "token": token }));
        Ask::post("/oauth2/introspect").basic(&self.id, &self.secret).form(&form)
    }

    /// What it is told about a token.
    pub(crate) async fn told(&self, server: &TestServer, token: &str) -> Value {
        let reply = server.send(self.question(token)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// What a proxy in front of it is answered for a call with this token.
    pub(crate) async fn passes(&self, server: &TestServer, token: &str) -> u16 {
        server.send(self.proxied(token)).await.status
    }

    pub(crate) fn proxied(&self, token: &str) -> Ask {
        let path = format!("/forward-auth?api={}", self.name);
        Ask::read(&path).header("authorization", &format!("Bearer {token}"))
    }

    /// Whether both judges accept the token; they must agree.
    pub(crate) async fn accepts(&self, server: &TestServer, token: &str) -> bool {
        let told = self.told(server, token).await;
        let status = self.passes(server, token).await;
        if told["active"] == true {
            assert_eq!(status, 200, "{told}");
            return true;
        }
        assert_eq!((told, status), (serde_json::json!({ "active": false }), 401));
        false
    }
}

/// A token for a client, with scopes if any are named.
pub(crate) async fn token(server: &TestServer, (id, secret): (&str, &str), more: Value) -> Token {
    let members = crate::asking::and(credentials(id, secret), more);
    server.send(Ask::post(STANDARD_DOOR).json(&members)).await.token()
}

/// A token signed by the API's own key, whatever it says.
pub(crate) fn signed(gate: &Gate, api_name: &str, header: &str, claims: &str) -> String {
    let ring = gate.ring();
    let signer = &ring.keys_of(api(gate, api_name)).unwrap().signer;
    let input = SigningInput::new(header).with_claims(claims.as_bytes());
    let signature = signer.key.sign(input.as_bytes()).unwrap();
    sign::finish(input, &signature)
}

/// The token with other claims, signed again by the API's own key.
pub(crate) fn with_claims(gate: &Gate, api: &str, token: &Token, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = token.claims();
    change(&mut claims);
    signed(gate, api, &token.header, &claims.to_string())
}

/// A private key as PEM, as another issuer hands it over.
pub(crate) fn private_pem(key: &SigningKey) -> String {
    let text = STANDARD.encode(key.to_pkcs8_der().unwrap().as_slice());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// The token with its signature damaged.
pub(crate) fn damaged(token: &Token) -> String {
    let mut signature = token.signature.clone();
    signature[7] ^= 1;
    let (signed, _) = token.text.rsplit_once('.').unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
