//! This file is where a client is stopped while its request is under way, and gets no token that outlives the stop.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gatepost_operations::background::warming;
use gatepost_operations::client_keys::{self, NewClientKey};
use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::core::clients::{Assertion, Presented};
use gatepost_operations::core::params::{Door, Params, Value};
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::jose::{Algorithm, RsaBits, SigningKey, sign};
use gatepost_operations::tokens::{self, IssuedToken, TokenRequest};
use gatepost_operations::{partners, revocations};

use crate::stage::{ACTOR, Stage, WithSecret};

/// Longer than it takes until every node has heard of a change.
const LONG: Duration = Duration::from_secs(5);

/// A client with a key.
async fn with_key(stage: &Stage) -> (WithSecret, SigningKey) {
    let client = stage.client("Acme").await;
    let key = SigningKey::generate(Algorithm::EdDsa, RsaBits::B2048).unwrap();
    let new = NewClientKey::Pem { text: key.public().to_pem().unwrap(), alg: None };
    client_keys::add(&stage.gate, &ACTOR, &client.client.client_id, new).await.unwrap();
    stage.pass(LONG);
    (client, key)
}

async fn asking(
    stage: &Stage,
    client: &WithSecret,
    key: &SigningKey,
    jti: &str,
) -> Result<IssuedToken, Refusal> {
    let (id, now) = (&client.client.client_id, stage.now().seconds());
    let claims = format!(
        r#"{{"iss":"{id}","sub":"{id}","aud":"https://auth.example","iat":{now},"exp":{},"jti":"{jti}"}}"#,
        now + 60
    );
    let text = sign::compact(key, r#"{"alg":"EdDSA"}"#, &claims).unwrap();
    let mut params = Params::default();
    params.insert("grant_type".into(), Value::Text("client_credentials".into()));
    let request = TokenRequest {
        door: Door::Standard,
        params: Ok(params),
        presented: Assertion::read(&text, None).map(Presented::Assertion),
        address: None,
        request_id: "r".into(),
    };
    tokens::issue(&stage.gate, request).await
}

/// What comes of a request when this happens, and all have heard of it, while its assertion is being written down.
async fn while_written(
    stage: &Stage,
    (client, key): &(WithSecret, SigningKey),
    jti: &str,
    happens: impl AsyncFnOnce(),
) -> Result<IssuedToken, Refusal> {
    warming::warm(&stage.gate).await.unwrap();
    let mut request = pin!(asking(stage, client, key, jti));
    // It goes as far as it can without waiting: the client is in memory, so the write is the first that it waits for.
    assert!(matches!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    happens().await;
    stage.pass(LONG);
    request.await
}

#[tokio::test]
async fn a_client_that_is_stopped_or_loses_something_meanwhile_gets_no_token() {
    let stage = Stage::with_api().await;
    let acme = with_key(&stage).await;
    let id = acme.0.client.client_id.as_str();

    let none = ClientSettings { scopes: Some(vec![]), ..ClientSettings::default() };
    let lost = while_written(&stage, &acme, "lost", async || {
        clients::update(&stage.gate, &ACTOR, id, none).await.unwrap();
    });
    assert_eq!(lost.await.err().unwrap().code, Code::TemporarilyUnavailable);
    let suspended = while_written(&stage, &acme, "suspended", async || {
        clients::suspend(&stage.gate, &ACTOR, id).await.unwrap();
    });
    assert_eq!(suspended.await.err().unwrap().code, Code::TemporarilyUnavailable);
    clients::resume(&stage.gate, &ACTOR, id).await.unwrap();
    let partner = while_written(&stage, &acme, "partner", async || {
        partners::suspend(&stage.gate, &ACTOR, "acme").await.unwrap();
    });
    assert_eq!(partner.await.err().unwrap().code, Code::TemporarilyUnavailable);
    partners::resume(&stage.gate, &ACTOR, "acme").await.unwrap();
    let deleted = while_written(&stage, &acme, "deleted", async || {
        clients::delete(&stage.gate, &ACTOR, id).await.unwrap();
    });
    assert_eq!(deleted.await.err().unwrap().code, Code::TemporarilyUnavailable);
}

#[tokio::test]
async fn a_client_whose_tokens_are_ended_meanwhile_gets_one_from_after_the_end() {
    let stage = Stage::with_api().await;
    let acme = with_key(&stage).await;
    let got = while_written(&stage, &acme, "ended", async || {
        revocations::end_tokens_of_client(&stage.gate, &ACTOR, &acme.0.client.client_id).await.unwrap();
    });
    assert!(got.await.is_ok());
    assert!(asking(&stage, &acme.0, &acme.1, "ended").await.is_err(), "the assertion counts as used");
}
