//! This file is where the checks of the doctor are tried on states that time and people have brought out of order.

use std::time::Duration;

use gatepost_operations::core::clients::Term;
use gatepost_operations::doctor::{self, Check, Outcome};
use gatepost_operations::gate::Gate;
use gatepost_operations::secrets::{self, AddSecret, Ending};
use gatepost_operations::{keys, master_key, setup};

use crate::stage::{ACTOR, Stage};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

async fn not_well(gate: &Gate) -> Vec<Check> {
    let mut checks = doctor::inside(gate).await.unwrap();
    checks.retain(|check| check.outcome != Outcome::Ok);
    for check in &checks {
        assert!(check.why.is_some() && check.fix.is_some(), "{check:?}");
    }
    checks
}

async fn the_one(gate: &Gate) -> (&'static str, Outcome, String) {
    let mut checks = not_well(gate).await;
    assert_eq!(checks.len(), 1, "{checks:?}");
    let check = checks.remove(0);
    (check.name, check.outcome, check.what)
}

#[tokio::test]
async fn a_new_state_is_well() {
    let stage = Stage::with_api().await;
    stage.client("Acme").await;
    assert_eq!(not_well(&stage.gate).await, []);

    let checks = doctor::inside(&stage.gate).await.unwrap();
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    assert_eq!(names, ["store", "master_key", "clock", "keys", "keys", "secrets", "server"]);
}

#[tokio::test]
async fn a_key_that_nobody_rotates_is_noticed() {
    let stage = Stage::with_api().await;
    stage.pass(DAY * 90);
    assert_eq!(not_well(&stage.gate).await, [], "a server gets a minute to do it");
    stage.pass(HOUR);

    let checks = not_well(&stage.gate).await;
    assert_eq!(checks.len(), 2, "both APIs: {checks:?}");
    assert!(checks.iter().all(|check| check.outcome == Outcome::Warn && check.what.contains("the same key")));
    assert_eq!(checks[0].fix.as_deref(), Some("run the server, or gatepost key rotate --api bookings"));
}

#[tokio::test]
async fn a_published_key_that_waits_and_an_old_one_that_stays_are_noticed() {
    let stage = Stage::with_api().await;
    keys::rotate(&stage.gate, &ACTOR, "bookings", false).await.unwrap();
    assert_eq!(not_well(&stage.gate).await, []);

    stage.pass(DAY + HOUR);
    let (name, outcome, what) = the_one(&stage.gate).await;
    assert_eq!((name, outcome), ("keys", Outcome::Warn));
    assert!(what.starts_with("the next key of bookings could sign since"), "{what}");

    keys::promote(&stage.gate, &ACTOR, "bookings", false).await.unwrap();
    assert_eq!(not_well(&stage.gate).await, []);
    stage.pass(DAY + HOUR);
    let (name, outcome, what) = the_one(&stage.gate).await;
    assert_eq!((name, outcome), ("keys", Outcome::Warn));
    assert_eq!(what, "an old key of bookings is in the key set still");
    keys::tick(&stage.gate).await.unwrap();
    assert_eq!(not_well(&stage.gate).await, []);
}

#[tokio::test]
async fn where_tokens_name_no_key_the_doctor_says_that_somebody_has_to_promote() {
    let stage = Stage::empty().await;
    keys::rotate(&stage.gate, &ACTOR, setup::DEFAULT_API, false).await.unwrap();
    stage.pass(DAY + HOUR);
    keys::tick(&stage.gate).await.unwrap();

    let checks = not_well(&stage.gate).await;
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0].why.as_deref(), Some("its tokens name no key, so it takes over only when told"));
}

#[tokio::test]
async fn only_clients_that_lose_their_last_secret_are_named() {
    let stage = Stage::with_api().await;
    let client = stage.client("Acme").await;
    let id = client.client.client_id.as_str();
    let expires = Some(stage.now().after(DAY * 3));
    secrets::add(
        &stage.gate,
        &ACTOR,
        id,
        AddSecret { label: None, term: Term { expires, ..Term::default() } },
    )
    .await
    .unwrap();
    assert_eq!(not_well(&stage.gate).await, [], "the other one has no end");

    // Both were made at the same moment, so the list may begin with either.
    let list = secrets::list(&stage.gate, id).await.unwrap();
    let endless = list.iter().find(|secret| secret.expires.is_none()).unwrap().secret_id;
    secrets::end(&stage.gate, &ACTOR, id, endless, Ending::default()).await.unwrap();
    let checks = not_well(&stage.gate).await;
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!((checks[0].name, checks[0].outcome), ("secrets", Outcome::Warn));
    assert_eq!(checks[0].why.as_deref(), Some(id));

    stage.pass(DAY * 4);
    assert_eq!(not_well(&stage.gate).await, [], "what is over is no news");
}

#[tokio::test]
async fn a_clock_that_went_back_is_noticed() {
    let stage = Stage::with_api().await;
    stage.set_back(Duration::from_secs(59));
    assert_eq!(not_well(&stage.gate).await, [], "as far as clocks may differ");
    stage.set_back(HOUR);
    let (name, outcome, _) = the_one(&stage.gate).await;
    assert_eq!((name, outcome), ("clock", Outcome::Fail));
}

#[tokio::test]
async fn keys_under_an_older_wrapping_key_are_noticed_until_they_are_sealed_anew() {
    let stage = Stage::with_api().await;
    master_key::add_wrapping_key(stage.folder.path(), &stage.gate.entropy).unwrap();
    let node = stage.second_node().await;
    let checks = not_well(&node).await;
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0].fix.as_deref(), Some("gatepost key rewrap"));

    assert_eq!(keys::rewrap(&node, &ACTOR).await.unwrap(), 3);
    assert_eq!(not_well(&node).await, []);
}
