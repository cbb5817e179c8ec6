//! This file is where keys are led through their lives, by the clock and by hand.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_operations::apis::{self, ApiView, PassportChoices, UpdateApi};
use gatepost_operations::background::{rotation, watch};
use gatepost_operations::core::secret::Secret;
use gatepost_operations::failure::{Failure, Kind};
use gatepost_operations::gate::Gate;
use gatepost_operations::jose::Header;
use gatepost_operations::{keys, master_key, news, verification};
use tokio::task::JoinHandle;

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

/// The API's schedule, changed.
async fn set(gate: &Gate, api: &str, every: &str) -> Result<ApiView, Failure> {
    let request = UpdateApi { rotate_every: Some(every.into()), ..UpdateApi::default() };
    apis::update(gate, &ACTOR, api, request).await
}

async fn next_turn(gate: &Gate, api: &str) -> Option<String> {
    keys::list(gate, Some(api)).await.unwrap().into_iter().find_map(|key| key.next_turn)
}

#[tokio::test]
async fn each_api_has_its_own_schedule_and_the_setting_is_the_default() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    assert_eq!(apis::show(gate, "bookings").unwrap().rotate_every, "default");
    let in_90_days = next_turn(gate, "bookings").await.unwrap();
    assert!(in_90_days.starts_with("2027-04-15T"), "{in_90_days}");

    assert_eq!(set(gate, "bookings", "never").await.unwrap().rotate_every, "never");
    assert_eq!(next_turn(gate, "bookings").await, None);
    stage.pass(DAY * 300);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["signing"]);

    assert_eq!(set(gate, "bookings", "400d").await.unwrap().rotate_every, "400d");
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["signing"]);
    assert_eq!(set(gate, "bookings", "7d").await.unwrap().rotate_every, "7d");
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["signing", "published"], "it is overdue");
    stage.pass(DAY);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "bookings").await, ["verifying", "signing"]);

    let plan = keys::rotate(gate, &ACTOR, "bookings", true).await.unwrap();
    assert_eq!((plan.rotate_every.as_str(), plan.by_schedule), ("7d", next_turn(gate, "bookings").await));
    assert_eq!(set(gate, "bookings", "default").await.unwrap().rotate_every, "default");
}

#[tokio::test]
async fn a_schedule_that_can_not_be_is_refused() {
    let stage = Stage::with_api().await;
    for every in ["", "0", "soon", "23h", "0s", "90", "99999d", "Never"] {
        let refused = set(&stage.gate, "bookings", every).await.unwrap_err();
        assert_eq!((refused.kind, refused.code), (Kind::Invalid, "api.rotate_every"), "{every}");
    }
    assert!(set(&stage.gate, "bookings", "24h").await.is_ok(), "as soon as a key may sign");
}

#[tokio::test]
async fn a_schedule_only_prepares_where_tokens_name_no_key_and_says_who_is_waited_for() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    set(gate, "default", "7d").await.unwrap();
    stage.pass(DAY * 6);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "default").await, ["signing", "published"]);
    assert_eq!(keys::waiting(gate), [], "it may not sign yet");

    stage.pass(DAY * 60);
    keys::tick(gate).await.unwrap();
    assert_eq!(states(gate, "default").await, ["signing", "published"]);
    let waiting = keys::waiting(gate);
    assert_eq!((waiting.len(), waiting[0].api.as_str()), (1, "default"));
    keys::promote(gate, &ACTOR, "default", false).await.unwrap();
    assert_eq!(keys::waiting(gate), []);
}

/// Waits until a node that runs beside has done it.
async fn until(what: &str, gate: &Gate, expected: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while states(gate, "bookings").await != expected {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_running_node_follows_a_schedule_as_soon_as_it_hears_of_it() {
    let stage = Stage::with_api().await;
    let running = Arc::new(stage.second_node().await);
    let tasks = [watch::start(Arc::clone(&running)), rotation::start(Arc::clone(&running))];
    stage.pass(DAY * 30);
    set(&stage.gate, "bookings", "7d").await.unwrap();
    until("the next key is published", &stage.gate, &["signing", "published"]).await;
    tasks.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_running_node_takes_up_a_new_wrapping_key_when_it_meets_one() {
    let stage = Stage::with_api().await;
    let running = stage.second_node().await;
    master_key::add_wrapping_key(stage.folder.path(), &running.entropy).unwrap();
    let command = stage.second_node().await;
    keys::rewrap(&command, &ACTOR).await.unwrap();
    keys::rotate(&command, &ACTOR, "bookings", false).await.unwrap();

    news::take_up(&running).await.unwrap();
    assert_eq!(published(&running, "bookings"), 2);
    // What it seals from now on needs the old wrapping key no more.
    assert_eq!(keys::rewrap(&running, &ACTOR).await.unwrap(), 0);
    keys::rotate(&running, &ACTOR, "default", false).await.unwrap();
    assert_eq!(keys::rewrap(&running, &ACTOR).await.unwrap(), 0, "the new one sealed it");
}

#[tokio::test]
async fn a_master_key_file_of_another_state_or_open_to_others_is_not_taken_up() {
    let (stage, other) = (Stage::with_api().await, Stage::empty().await);
    let file = stage.folder.path().join("master.key");
    let running = stage.second_node().await;
    master_key::add_wrapping_key(stage.folder.path(), &running.entropy).unwrap();
    keys::rewrap(&stage.second_node().await, &ACTOR).await.unwrap();
    let good = std::fs::read(&file).unwrap();

    std::fs::copy(other.folder.path().join("master.key"), &file).unwrap();
    assert_eq!(news::take_up(&running).await.unwrap_err().code, "master_key.wrong");
    std::fs::write(&file, good).unwrap();
    let open_to = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    open_to(0o644);
    assert_eq!(news::take_up(&running).await.unwrap_err().code, "master_key.unusable");
    open_to(0o600);
    news::take_up(&running).await.unwrap();
    assert_eq!(keys::rewrap(&running, &ACTOR).await.unwrap(), 0);
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
        news::take_up(&stage.gate).await.unwrap();
        news::take_up(&other).await.unwrap();
        let (one, two) = tokio::join!(keys::tick(&stage.gate), keys::tick(&other));
        one.and(two).unwrap();
        news::take_up(&stage.gate).await.unwrap();
        news::take_up(&other).await.unwrap();
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
async fn a_token_without_a_kid_stays_good_when_headers_begin_to_name_keys() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    let acme = stage.client_of("default", &[], "Acme").await;
    let issued = ask(gate, &acme.client.client_id, acme.secret.expose()).await.unwrap();
    let header = Header::peek(&issued.access_token).unwrap();
    assert_eq!(header.kid, None);

    let passport = PassportChoices { kid: Some(true), ..PassportChoices::default() };
    let request = UpdateApi { passport, ..UpdateApi::default() };
    apis::update(gate, &ACTOR, "default", request).await.unwrap();
    let judged = verification::good(gate, None, &issued.access_token).unwrap();
    assert_eq!(judged.api, "default");
}

#[tokio::test]
async fn no_more_keys_come_along_than_readers_try() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    for _ in 1..4 {
        keys::import(gate, &ACTOR, "default", &Secret::new(made_elsewhere())).await.unwrap();
        keys::promote(gate, &ACTOR, "default", true).await.unwrap();
    }
    let fifth = keys::import(gate, &ACTOR, "default", &Secret::new(made_elsewhere())).await.unwrap_err();
    assert_eq!((fifth.kind, fifth.code), (Kind::Conflict, "key.too_many"));
}

#[tokio::test]
async fn an_imported_key_waits_to_be_promoted_and_is_refused_for_a_second_api() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    let pem = made_elsewhere();

    let imported = keys::import(gate, &ACTOR, "default", &Secret::new(pem.clone())).await.unwrap();
    assert_eq!(imported.state, "published");
    let twice = keys::import(gate, &ACTOR, "default", &Secret::new(pem)).await.unwrap_err();
    assert_eq!(twice.code, "key.already_published");
    let broken = keys::import(gate, &ACTOR, "bookings", &Secret::new("x".into())).await.unwrap_err();
    assert_eq!((broken.kind, broken.code), (Kind::Invalid, "key.import"));
}

fn made_elsewhere() -> String {
    let made = gatepost_operations::jose::SigningKey::generate(
        gatepost_operations::jose::Algorithm::Rs256,
        gatepost_operations::jose::RsaBits::B2048,
    );
    pem(&made.unwrap().to_pkcs8_der().unwrap())
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
