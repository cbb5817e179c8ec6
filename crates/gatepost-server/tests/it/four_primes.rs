//! This file is where tokens of a key of four primes go the whole way: through both doors, to other people's eyes.

use gatepost_core::actor::Actor;
use gatepost_jose::Primes;
use gatepost_operations::keys;
use jsonwebtoken as other;
use serde_json::Value;

use crate::asking::{Ask, DOORS, credentials};
use crate::cast::{C, S};
use crate::harness::TestServer;
use crate::resource_server::ResourceServer;

#[tokio::test]
async fn a_partner_gets_an_ordinary_token_at_both_doors() {
    let server = TestServer::start().await;
    let (gate, actor) = (&server.gate, &Actor::System);
    keys::rotate_to(gate, actor, "default", Some(Primes::Four), false).await.unwrap();
    keys::promote(gate, actor, "default", true).await.unwrap();
    let api = ResourceServer::of(gate, "default").await;

    for door in DOORS {
        let token = server.send(Ask::post(door).json(&credentials(C, S))).await.token();
        assert_eq!(token.signature.len(), 512, "as long as any of 4096 bits");
        assert!(api.accepts(&server, &token.text).await);

        let public = keys::export_public(gate, "default").unwrap();
        let key = other::DecodingKey::from_rsa_pem(public.pem.as_bytes()).unwrap();
        let mut validation = other::Validation::new(other::Algorithm::RS256);
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.required_spec_claims.clear();
        other::decode::<Value>(&token.text, &key, &validation).unwrap();
    }
}
