//! This file is where keys are led through their lives, by the clock and by hand.

use std::time::Duration;

use gatepost_operations::core::secret::Secret;
use gatepost_operations::failure::Kind;
use gatepost_operations::gate::Gate;
use gatepost_operations::{keys, master_key};

use crate::stage::{ACTOR, Stage, ask, open};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The states of an API's keys, in order of their creation.
async fn states(gate: &Gate, api: &str) -> Vec<&'static str> {
    keys::list(gate, Some(api)).await.unwrap().into_iter().map(|key| key.state).collect()
}

fn published(gate: &Gate, api: &str) -> usize {
    gate.ring().document(api, true).unwrap().body.matches("\"kid\"").count()
}

#[tokio::test]
async fn the_clock_publishes_promotes_and_retires() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["signing"]);

    stage.pass(DAY * 89);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["signing", "published"]);
    assert_eq!(published(gate, "bookings"), 2, "a key is in the set before it signs");

    stage.pass(HOUR * 23);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["signing", "published"], "a day has not passed");

    stage.pass(HOUR);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["verifying", "signing"]);
    assert_eq!(published(gate, "bookings"), 2, "its tokens still live");

    stage.pass(DAY + HOUR);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["retired", "signing"]);
    assert_eq!(published(gate, "bookings"), 1);
}

#[tokio::test]
async fn where_tokens_name_no_key_the_clock_only_publishes() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    stage.pass(DAY * 89);
    keys::tick(gate).await.unwrap();
    stage.pass(DAY * 300);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "default").await, ["signing", "published"]);
    let one = gate.ring().document("default", false).unwrap().body.matches("\"kid\"").count();
    assert_eq!(one, 1, "outside readers see the key that signs");

    keys::promote(gate, &ACTOR, "default", false).await.unwrap();
    assert_eq!(states(gate, "default").await, ["verifying", "signing"]);
}

#[tokio::test]
async fn a_rehearsed_rotation_changes_nothing_and_a_real_one_waits() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;

    let plan = keys::rotate(gate, &ACTOR, "bookings", true).await.unwrap();
    assert_eq!((plan.next, states(gate, "bookings").await), (None, vec!["signing"]));

    stage.pass(HOUR);
    let plan = keys::rotate(gate, &ACTOR, "bookings", false).await.unwrap();
    assert!(plan.next.is_some());
    let twice = keys::rotate(gate, &ACTOR, "bookings", false).await.unwrap_err();
    assert_eq!((twice.kind, twice.code), (Kind::Conflict, "key.already_published"));
    let early = keys::promote(gate, &ACTOR, "bookings", false).await.unwrap_err();
    assert_eq!((early.kind, early.code), (Kind::Conflict, "key.too_early"));
    keys::promote(gate, &ACTOR, "bookings", true).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["verifying", "signing"]);
}

#[tokio::test]
async fn of_two_nodes_that_rotate_at_once_one_wins() {
    let stage = Stage::with_api().await;
    let other = stage.second_node().await;
    for _ in 0..10 {
        let (one, two) = tokio::join!(
            keys::rotate(&stage.gate, &ACTOR, "bookings", false),
            keys::rotate(&other, &ACTOR, "bookings", false)
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        stage.pass(DAY);
        gatepost_operations::news::take_up(&stage.gate).await.unwrap();
        gatepost_operations::news::take_up(&other).await.unwrap();
        let (one, two) = tokio::join!(keys::tick(&stage.gate), keys::tick(&other));
        one.and(two).unwrap();
        gatepost_operations::news::take_up(&stage.gate).await.unwrap();
        gatepost_operations::news::take_up(&other).await.unwrap();
        let signing =
            states(&stage.gate, "bookings").await.iter().filter(|state| **state == "signing").count();
        assert_eq!(signing, 1);
        let documents =
            [&stage.gate, &other].map(|gate| gate.ring().document("bookings", true).unwrap().body.clone());
        assert_eq!(documents[0], documents[1]);
    }
}

#[tokio::test]
async fn a_revoked_key_leaves_the_set_at_once_and_another_signs() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    let client = stage.client("Acme").await;
    ask(gate, &client.client.client_id, client.secret.expose()).await.unwrap();
    gatepost_operations::usage::flush(gate).await.unwrap();
    let compromised = keys::list(gate, Some("bookings")).await.unwrap()[0].kid.clone();

    stage.pass(HOUR);
    let radius = keys::blast_radius(gate, &compromised).await.unwrap();
    assert_eq!((radius.api.as_str(), radius.live_tokens_at_most, radius.clients), ("bookings", 1, 1));
    keys::revoke(gate, &ACTOR, &compromised).await.unwrap();

    assert_eq!(states(gate, "bookings").await, ["revoked", "signing"]);
    assert!(!gate.ring().document("bookings", true).unwrap().body.contains(&compromised));
    assert!(ask(gate, &client.client.client_id, client.secret.expose()).await.is_ok());
    let again = keys::revoke(gate, &ACTOR, &compromised).await.unwrap_err();
    assert_eq!(again.kind, Kind::Conflict);
}

#[tokio::test]
async fn an_imported_key_waits_to_be_promoted_and_is_refused_for_a_second_api() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    let made = gatepost_operations::jose::SigningKey::generate(
        gatepost_operations::jose::Algorithm::Rs256,
        gatepost_operations::jose::RsaBits::B2048,
    );
    let pem = pem(&made.unwrap().to_pkcs8_der().unwrap());

    let imported = keys::import(gate, &ACTOR, "default", &Secret::new(pem.clone())).await.unwrap();
    assert_eq!(imported.state, "published");
    let twice = keys::import(gate, &ACTOR, "default", &Secret::new(pem)).await.unwrap_err();
    assert_eq!(twice.code, "key.already_published");
    let broken = keys::import(gate, &ACTOR, "bookings", &Secret::new("x".into())).await.unwrap_err();
    assert_eq!((broken.kind, broken.code), (Kind::Invalid, "key.import"));
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test]
async fn keys_move_to_a_new_wrapping_key_and_the_old_one_can_go() {
    let stage = Stage::with_api().await;
    let file = master_key::path(stage.folder.path());
    let before = std::fs::read_to_string(&file).unwrap();
    let (wrapping, pepper) = before.split_once("[[pepper]]").unwrap();
    let newest = "[[wrapping]]\nid = \"w-new\"\nkey = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n\n";
    std::fs::write(&file, format!("{newest}{wrapping}[[pepper]]{pepper}")).unwrap();

    let gate = open(stage.folder.path(), &stage.hands).await;
    assert_eq!(keys::rewrap(&gate, &ACTOR).await.unwrap(), 3);
    assert_eq!(keys::rewrap(&gate, &ACTOR).await.unwrap(), 0, "what is done stays done");

    std::fs::write(&file, format!("{newest}[[pepper]]{pepper}")).unwrap();
    let gate = open(stage.folder.path(), &stage.hands).await;
    assert!(gate.ring().is_complete());
}
