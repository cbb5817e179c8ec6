//! This file is where the public keys of clients are added, listed and removed.

use gatepost_operations::client_keys::{self, NewClientKey};
use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::failure::{Failure, Kind};
use gatepost_operations::jose::{Algorithm, RsaBits, SigningKey};
use gatepost_operations::secrets::{self, Ending};
use uuid::Uuid;

use crate::stage::{ACTOR, Stage};

/// A key as `openssl genpkey -algorithm ed25519` makes it.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, RsaBits::B2048).unwrap()
}

fn pem(key: &SigningKey) -> NewClientKey {
    NewClientKey::Pem { text: key.public().to_pem().unwrap(), alg: None }
}

fn jwk(text: &str) -> NewClientKey {
    NewClientKey::Jwk { text: text.to_owned() }
}

async fn refused(stage: &Stage, client: &str, new: NewClientKey) -> Failure {
    client_keys::add(&stage.gate, &ACTOR, client, new).await.unwrap_err()
}

#[tokio::test]
async fn the_kind_of_a_pem_key_is_told_by_its_bytes() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let key = key(algorithm);
        let view = client_keys::add(&stage.gate, &ACTOR, &client, pem(&key)).await.unwrap();
        assert_eq!((view.kind, view.alg, view.kid), ("jwk", Some(algorithm.as_str()), None));
        assert_eq!(view.thumbprint.as_deref(), Some(key.kid().as_str()));
        stage.pass(std::time::Duration::from_secs(1));
    }
    let text = key(Algorithm::Rs256).public().to_pem().unwrap();
    let new = NewClientKey::Pem { text, alg: Some(Algorithm::Ps256) };
    assert_eq!(client_keys::add(&stage.gate, &ACTOR, &client, new).await.unwrap().alg, Some("PS256"));

    let listed = client_keys::list(&stage.gate, &client).await.unwrap();
    assert_eq!(
        listed.iter().filter_map(|view| view.alg).collect::<Vec<_>>(),
        ["ES256", "EdDSA", "RS256", "PS256"]
    );
    let full = refused(&stage, &client, pem(&key(Algorithm::EdDsa))).await;
    assert_eq!((full.kind, full.code), (Kind::Conflict, "client_key.too_many"));
}

#[tokio::test]
async fn a_private_key_is_refused_with_the_way_to_its_public_half() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    let private_jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    for new in [
        NewClientKey::Pem { text: PRIVATE.to_owned(), alg: None },
        NewClientKey::Pem { text: PRIVATE.replace("PRIVATE", "RSA PRIVATE"), alg: None },
        NewClientKey::Pem { text: PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE"), alg: None },
        jwk(private_jwk),
        jwk(r#"{"kty":"oct","k":"c2VjcmV0"}"#),
    ] {
        let failure = refused(&stage, &client, new).await;
        assert_eq!((failure.kind, failure.code), (Kind::Invalid, "client_key.private"));
        assert!(failure.fix.contains("-pubout"), "{}", failure.fix);
        assert!(!format!("{failure:?}").contains("nWGxne"), "no part of the key is told");
    }
    assert!(client_keys::list(&stage.gate, &client).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    for new in [
        NewClientKey::Pem { text: "hello".to_owned(), alg: None },
        jwk("{}"),
        jwk("hello"),
        jwk(r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#),
        jwk(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"}"#),
    ] {
        assert_eq!(refused(&stage, &client, new).await.code, "client_key.unusable");
    }
}

#[tokio::test]
async fn one_key_is_in_the_list_once_whatever_it_is_called() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    let key = key(Algorithm::Es256);
    client_keys::add(&stage.gate, &ACTOR, &client, pem(&key)).await.unwrap();
    let named = serde_json::to_string(&key.public().to_jwk()).unwrap();
    assert_eq!(refused(&stage, &client, jwk(&named)).await.code, "client_key.same");
}

#[tokio::test]
async fn addresses_that_lead_inside_are_refused_before_they_are_stored() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    for uri in [
        "http://keys.example/j",
        "https://127.0.0.1/j",
        "https://[::1]/j",
        "https://localhost/j",
        "file:///etc/passwd",
    ] {
        let failure = refused(&stage, &client, NewClientKey::JwksUri(uri.to_owned())).await;
        assert_eq!((failure.kind, failure.code), (Kind::Invalid, "client_key.jwks_uri"), "{uri}");
    }
    let new = NewClientKey::JwksUri("https://93.184.215.14/keys".to_owned());
    let view = client_keys::add(&stage.gate, &ACTOR, &client, new).await.unwrap();
    assert_eq!((view.kind, view.jwks_uri.as_deref()), ("jwks_uri", Some("https://93.184.215.14/keys")));
}

#[tokio::test]
async fn the_last_usable_credential_goes_only_with_force() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    let gate = &stage.gate;
    let first = client_keys::add(gate, &ACTOR, &client, pem(&key(Algorithm::Es256))).await.unwrap().key_id;

    let missing = client_keys::remove(gate, &ACTOR, &client, Uuid::nil(), true).await.unwrap_err();
    assert_eq!(missing.code, "client_key.not_found");

    let secret = secrets::list(gate, &client).await.unwrap()[0].secret_id;
    secrets::end(gate, &ACTOR, &client, secret, Ending::default()).await.unwrap();
    let last = client_keys::remove(gate, &ACTOR, &client, first, false).await.unwrap_err();
    assert_eq!((last.kind, last.code), (Kind::Conflict, "client_key.last"));
    client_keys::remove(gate, &ACTOR, &client, first, true).await.unwrap();
    assert!(client_keys::list(gate, &client).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_that_the_pin_forbids_is_no_credential() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await.client.client_id;
    let gate = &stage.gate;
    client_keys::add(gate, &ACTOR, &client, pem(&key(Algorithm::Es256))).await.unwrap();
    let pin = ClientSettings { auth_method: Some("client_secret_basic".into()), ..ClientSettings::default() };
    clients::update(gate, &ACTOR, &client, pin).await.unwrap();

    let secret = secrets::list(gate, &client).await.unwrap()[0].secret_id;
    let last = secrets::end(gate, &ACTOR, &client, secret, Ending::default()).await.unwrap_err();
    assert_eq!(last.code, "secret.last");
}
