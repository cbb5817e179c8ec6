//! This file is where tokens of every algorithm are verified twice: by our own library and by one that knows us not.

use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId};
use gatepost_jose::verify::{Candidates, Header, Keys, verify};
use gatepost_jose::{Expectation, Expected, JwkSet, Micros, PublicKey};
use serde_json::{Value, json};

use crate::asking::{Ask, STANDARD_DOOR, and, credentials};
use crate::cast::{C, S};
use crate::harness::{ISSUER, START, TestServer};

struct Published(Vec<PublicKey>);

impl Keys for Published {
    fn candidates(&self, header: &Header) -> Candidates<'_> {
        let named = |key: &&PublicKey| header.kid.as_deref().is_none_or(|kid| key.kid().as_str() == kid);
        self.0.iter().filter(named).cloned().collect()
    }
}

const ALL: [(&str, jsonwebtoken::Algorithm); 4] = [
    ("RS256", jsonwebtoken::Algorithm::RS256),
    ("PS256", jsonwebtoken::Algorithm::PS256),
    ("ES256", jsonwebtoken::Algorithm::ES256),
    ("EdDSA", jsonwebtoken::Algorithm::EdDSA),
];

/// A server at which C may get tokens for one more API, `extra`, of that algorithm.
async fn server(alg: &str) -> TestServer {
    let server = TestServer::start().await;
    let api = server.make_api("extra", alg).await;
    let id = ClientId::parse(C).unwrap();
    let found = server.gate.store().client_record(&id).await.unwrap().unwrap();
    let client = Client { apis: vec![server.api("default"), api], ..found.client };
    server.apply(vec![Change::ClientUpdated(client)]).await;
    server
}

#[tokio::test]
async fn tokens_of_all_four_algorithms_verify_by_the_published_keys_here_and_elsewhere() {
    for (alg, other) in ALL {
        let server = server(alg).await;
        let members = and(credentials(C, S), json!({ "resource": "https://extra.example" }));
        let token = server.send(Ask::post(STANDARD_DOOR).json(&members)).await.token();
        let set = server.send(Ask::read("/.well-known/jwks/extra.json")).await;
        assert_eq!(token.members()["alg"], alg);

        let ours = verify(&token.text, &Published(JwkSet::parse(&set.body).unwrap().usable())).unwrap();
        let profile = Expected::Rfc9068 { issuer: ISSUER.into(), audience: "https://extra.example".into() };
        Expectation::new(profile).check(&ours, Micros(START)).unwrap();

        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(set.json()["keys"][0].clone()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(other);
        validation.validate_exp = false;
        validation.set_audience(&["https://extra.example"]);
        validation.set_issuer(&[ISSUER]);
        let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let read = jsonwebtoken::decode::<Value>(&token.text, &key, &validation).unwrap();
        assert_eq!(read.claims["client_id"], C, "{alg}");
    }
}

#[tokio::test]
async fn a_passport_token_verifies_by_the_one_key_of_its_api() {
    let server = TestServer::start().await;
    let token = server.send(Ask::post(STANDARD_DOOR).json(&credentials(C, S))).await.token();
    for address in ["/.well-known/jwks/default.json", "/.well-known/jwks/default.json?all=1"] {
        let set = JwkSet::parse(&server.send(Ask::read(address)).await.body).unwrap();
        let verified = verify(&token.text, &Published(set.usable())).unwrap();
        Expectation::new(Expected::Passport).check(&verified, Micros(START)).unwrap();
    }
}

#[tokio::test]
async fn a_token_of_one_api_does_not_verify_by_the_keys_of_another() {
    let server = TestServer::start().await;
    let token = server.send(Ask::post(STANDARD_DOOR).json(&credentials(C, S))).await.token();
    let set = JwkSet::parse(&server.send(Ask::read("/.well-known/jwks/bookings.json")).await.body).unwrap();
    assert!(verify(&token.text, &Published(set.usable())).is_err());
}
