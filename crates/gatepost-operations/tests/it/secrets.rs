//! This file is where secrets are rolled, limited, counted and ended.

use std::time::Duration;

use gatepost_operations::core::clients::ClientId;
use gatepost_operations::failure::Kind;
use gatepost_operations::secrets::{self, AddSecret, Ending};
use gatepost_operations::{master_key, usage};

use crate::stage::{ACTOR, Stage, ask, open};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_roll_lets_old_and_new_in_until_the_overlap_closes_itself() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let old = client.secret.expose();

    let new = secrets::roll(&stage.gate, &ACTOR, id, DAY).await.unwrap();
    assert!(ask(&stage.gate, id, old).await.is_ok());
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());

    stage.pass(DAY);
    let refused = ask(&stage.gate, id, old).await.err().unwrap();
    assert_eq!(refused.reason, "the secret has expired");
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());
}

#[tokio::test]
async fn a_roll_never_prolongs_a_secret_that_ends_sooner() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let expires = Some(stage.now().after(Duration::from_secs(60)));
    let short = secrets::add(&stage.gate, &ACTOR, id, AddSecret { label: None, expires }).await.unwrap();

    secrets::roll(&stage.gate, &ACTOR, id, DAY).await.unwrap();
    stage.pass(Duration::from_secs(60));
    assert!(ask(&stage.gate, id, short.secret.expose()).await.is_err());
}

#[tokio::test]
async fn a_roll_without_overlap_ends_all_others_at_once_however_many() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    for _ in 0..4 {
        secrets::add(&stage.gate, &ACTOR, id, AddSecret::default()).await.unwrap();
    }
    let full = secrets::roll(&stage.gate, &ACTOR, id, DAY).await.err().unwrap();
    assert_eq!((full.kind, full.code), (Kind::Conflict, "secret.too_many"));

    let new = secrets::roll(&stage.gate, &ACTOR, id, Duration::ZERO).await.unwrap();
    assert!(ask(&stage.gate, id, client.secret.expose()).await.is_err());
    assert!(ask(&stage.gate, id, new.secret.expose()).await.is_ok());
}

#[tokio::test]
async fn the_list_tells_when_from_where_and_how_often_a_secret_was_used() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    ask(&stage.gate, id, client.secret.expose()).await.unwrap();
    ask(&stage.gate, id, client.secret.expose()).await.unwrap();
    usage::flush(&stage.gate).await.unwrap();

    let listed = secrets::list(&stage.gate, id).await.unwrap();
    assert_eq!((listed[0].uses, listed[0].last_address.as_deref()), (2, Some("192.0.2.7")));
    assert!(listed[0].last_used.is_some());
    let lately = secrets::used_lately(&stage.gate, id, listed[0].secret_id, DAY).await.unwrap();
    assert!(lately.is_some());
    stage.pass(DAY * 2);
    assert!(secrets::used_lately(&stage.gate, id, listed[0].secret_id, DAY).await.unwrap().is_none());
}

#[tokio::test]
async fn the_last_usable_secret_goes_only_with_force() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let only = secrets::list(&stage.gate, id).await.unwrap()[0].secret_id;

    let refused = secrets::end(&stage.gate, &ACTOR, id, only, Ending::default()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (Kind::Conflict, "secret.last"));
    let force = Ending { force: true, kill_tokens: true };
    secrets::end(&stage.gate, &ACTOR, id, only, force).await.unwrap();
    assert!(ask(&stage.gate, id, client.secret.expose()).await.is_err());
    let set = stage.gate.revocations.now();
    let api = stage.gate.ring().apis().iter().find(|api| api.api.name.as_str() == "bookings").unwrap().api.id;
    assert_eq!(set.about(api).count(), 1);
}

#[tokio::test]
async fn a_secret_moves_to_a_new_pepper_at_its_next_use_and_the_old_pepper_can_go() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let (id, secret) = (client.client.client_id.as_str(), client.secret.expose());
    let file = master_key::path(stage.folder.path());
    let before = std::fs::read_to_string(&file).unwrap();
    let (wrapping, old) = before.split_once("[[pepper]]").unwrap();
    let newest = "[[pepper]]\nid = \"p-new\"\nkey = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n\n";
    std::fs::write(&file, format!("{wrapping}{newest}[[pepper]]{old}")).unwrap();

    let gate = open(stage.folder.path(), &stage.hands).await;
    ask(&gate, id, secret).await.unwrap();
    usage::flush(&gate).await.unwrap();
    let tags = gate.store.secrets(&ClientId::parse(id).unwrap()).await.unwrap();
    assert_eq!(tags[0].tag.pepper, "p-new");
    ask(&gate, id, secret).await.unwrap();
}
