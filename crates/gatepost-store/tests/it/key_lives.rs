//! This file is where it is tested how keys go on in their lives, and that of several nodes one moves them.

use gatepost_core::change::Change;
use gatepost_core::keys::{KeyOwner, KeyState, Sealed, StoredKey};
use gatepost_core::time::Timestamp;
use gatepost_store::{Store, StoreError};

use crate::conflicts::refusals;
use crate::engines::{Home, on_every_engine};
use crate::samples::{api, at, audited, key};

on_every_engine![
    a_key_is_read_back_wherever_it_is_in_its_life,
    a_promotion_moves_two_keys_in_one_batch,
    a_promotion_ahead_of_its_time_signs_from_then_on,
    a_promotion_that_fails_leaves_the_old_key_signing,
    a_key_that_has_moved_on_is_not_moved_again,
    a_key_of_another_owner_is_not_moved,
    an_owner_has_one_next_key_and_one_that_signs,
    of_nodes_that_publish_at_once_one_wins,
    of_nodes_that_promote_at_once_one_wins,
    a_rewrapped_key_differs_in_nothing_but_its_seal,
];

fn moved(key: &StoredKey, from: KeyState, to: KeyState, verifies_until: Option<Timestamp>) -> Change {
    Change::KeyMoved { kid: key.kid.clone(), owner: key.owner, from, to, verifies_until }
}

/// The change at another time than samples have.
async fn apply_at(store: &dyn Store, changes: Vec<Change>, now: Timestamp) -> Result<i64, StoreError> {
    let changes =
        audited(changes).into_iter().map(|change| gatepost_core::change::AuditedChange { at: now, ..change });
    store.apply(&changes.collect::<Vec<_>>()).await
}

fn published(kid: &str, owner: KeyOwner) -> StoredKey {
    StoredKey { state: KeyState::Published, signs_from: at(500), ..key(kid, owner) }
}

/// An API with a key that signs and a next one.
async fn ring(store: &dyn Store) -> (StoredKey, StoredKey) {
    let owner = api("bookings");
    let signs = key("k1", KeyOwner::Api(owner.id));
    let next = StoredKey { created: at(6), ..published("k2", signs.owner) };
    let added = [signs.clone(), next.clone()].map(Change::KeyAdded);
    store.apply(&audited([Change::ApiCreated(owner)].into_iter().chain(added))).await.unwrap();
    (signs, next)
}

fn promotion(signs: &StoredKey, next: &StoredKey) -> Vec<Change> {
    vec![
        moved(signs, KeyState::Signing, KeyState::Verifying, Some(at(9_000))),
        moved(next, KeyState::Published, KeyState::Signing, None),
    ]
}

async fn a_key_is_read_back_wherever_it_is_in_its_life(home: Home) {
    let store = home.open().await;
    let owner = api("bookings");
    let states =
        [KeyState::Published, KeyState::Signing, KeyState::Verifying, KeyState::Retired, KeyState::Revoked];
    let keys = states.map(|state| StoredKey {
        state,
        verifies_until: (!state.verifies()).then_some(at(77)),
        ..key(state.as_str(), KeyOwner::Api(owner.id))
    });
    store.apply(&audited([Change::ApiCreated(owner)])).await.unwrap();
    store.apply(&audited(keys.clone().map(Change::KeyAdded))).await.unwrap();

    let mut found = store.keys().await.unwrap();
    found.sort_by_key(|key| states.iter().position(|state| *state == key.state));
    assert_eq!(found, keys);
}

async fn a_promotion_moves_two_keys_in_one_batch(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    apply_at(store.as_ref(), promotion(&signs, &next), at(600)).await.unwrap();

    let old = StoredKey { state: KeyState::Verifying, verifies_until: Some(at(9_000)), ..signs };
    let new = StoredKey { state: KeyState::Signing, signs_from: at(600), ..next };
    assert_eq!(store.keys().await.unwrap(), [old.clone(), new.clone()]);

    let retire = moved(&old, KeyState::Verifying, KeyState::Retired, None);
    store.apply(&audited([retire])).await.unwrap();
    assert_eq!(store.keys().await.unwrap(), [StoredKey { state: KeyState::Retired, ..old }, new]);
}

async fn a_promotion_ahead_of_its_time_signs_from_then_on(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    apply_at(store.as_ref(), promotion(&signs, &next), at(499)).await.unwrap();

    let new = StoredKey { state: KeyState::Signing, signs_from: at(499), ..next };
    assert_eq!(store.keys().await.unwrap()[1], new);
}

async fn a_promotion_that_fails_leaves_the_old_key_signing(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    let gone = StoredKey { kid: "k3".parse().unwrap(), ..next.clone() };
    let refusal = store.apply(&audited(promotion(&signs, &gone))).await;

    assert!(matches!(&refusal, Err(StoreError::NotFound(text)) if text.contains("key k3")), "{refusal:?}");
    assert_eq!(store.keys().await.unwrap(), [signs, next]);
}

async fn a_key_that_has_moved_on_is_not_moved_again(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    let promotion = promotion(&signs, &next);
    store.apply(&audited(promotion.clone())).await.unwrap();

    let late = promotion.into_iter().map(|change| (change, "has moved on".to_owned()));
    refusals(store.as_ref(), true, late.collect()).await;
}

async fn a_key_of_another_owner_is_not_moved(home: Home) {
    let store = home.open().await;
    let (signs, _) = ring(store.as_ref()).await;
    let service = key("s", KeyOwner::Service);
    store.apply(&audited([Change::KeyAdded(service.clone())])).await.unwrap();
    let revoked = |key: &StoredKey, owner| {
        let stranger = StoredKey { owner, ..key.clone() };
        moved(&stranger, KeyState::Signing, KeyState::Revoked, None)
    };

    let rewrapped = Change::KeyRewrapped {
        kid: signs.kid.clone(),
        owner: KeyOwner::Service,
        sealed: signs.sealed.clone(),
    };
    let cases = vec![
        (revoked(&signs, KeyOwner::Service), "no key k1".to_owned()),
        (revoked(&service, signs.owner), "no key s".to_owned()),
        (rewrapped, "no key k1".to_owned()),
    ];
    refusals(store.as_ref(), false, cases).await;
    store.apply(&audited([revoked(&service, KeyOwner::Service)])).await.unwrap();
}

async fn an_owner_has_one_next_key_and_one_that_signs(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    let other = api("other");
    let service = [key("s1", KeyOwner::Service), published("s2", KeyOwner::Service)];
    let theirs = [key("o1", KeyOwner::Api(other.id)), published("o2", KeyOwner::Api(other.id))];
    let added = service.into_iter().chain(theirs).map(Change::KeyAdded);
    store.apply(&audited([Change::ApiCreated(other)].into_iter().chain(added))).await.unwrap();

    let cases = vec![
        (
            Change::KeyAdded(published("x", next.owner)),
            "a next key of this API is already published".to_owned(),
        ),
        (Change::KeyAdded(key("x", signs.owner)), "another key of this API signs already".to_owned()),
        (
            Change::KeyAdded(published("x", KeyOwner::Service)),
            "of the service is already published".to_owned(),
        ),
        (Change::KeyAdded(key("x", KeyOwner::Service)), "of the service signs already".to_owned()),
        (moved(&next, KeyState::Published, KeyState::Signing, None), "signs already".to_owned()),
    ];
    refusals(store.as_ref(), true, cases).await;
}

/// Many openers apply each its own batch at once: how many won, and that all others were refused for `words`.
async fn race(home: &Home, batches: Vec<Vec<Change>>, words: &str) -> usize {
    let stores = [home.open().await, home.open().await];
    let racers = batches.into_iter().zip(stores.iter().cycle()).map(|(batch, store)| {
        let (store, batch) = (store.clone(), audited(batch));
        tokio::spawn(async move { store.apply(&batch).await })
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(StoreError::Conflict(text)) => assert!(text.contains(words), "{text}"),
            Err(other) => panic!("{other}"),
        }
    }
    won
}

async fn of_nodes_that_publish_at_once_one_wins(home: Home) {
    let store = home.open().await;
    let owner = api("bookings");
    let signs = key("k", KeyOwner::Api(owner.id));
    store.apply(&audited([Change::ApiCreated(owner), Change::KeyAdded(signs.clone())])).await.unwrap();
    let batches = (0..16).map(|number| vec![Change::KeyAdded(published(&format!("n{number}"), signs.owner))]);

    assert_eq!(race(&home, batches.collect(), "already published").await, 1);
    assert_eq!(store.keys().await.unwrap().len(), 2);
    assert_eq!(store.head().await.unwrap(), 3);
}

async fn of_nodes_that_promote_at_once_one_wins(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    let batches = (0..16).map(|_| promotion(&signs, &next));

    assert_eq!(race(&home, batches.collect(), "has moved on").await, 1);
    let states = store.keys().await.unwrap().iter().map(|key| key.state).collect::<Vec<_>>();
    assert_eq!(states, [KeyState::Verifying, KeyState::Signing]);
}

async fn a_rewrapped_key_differs_in_nothing_but_its_seal(home: Home) {
    let store = home.open().await;
    let (signs, next) = ring(store.as_ref()).await;
    let sealed = Sealed { wrapping: "w2".to_owned(), bytes: vec![0, 255, 3] };
    let change = Change::KeyRewrapped { kid: signs.kid.clone(), owner: signs.owner, sealed: sealed.clone() };
    store.apply(&audited([change])).await.unwrap();

    assert_eq!(store.keys().await.unwrap(), [StoredKey { sealed, ..signs }, next]);
    let last = store.audit_lines(0, 10).await.unwrap().pop().unwrap();
    assert_eq!((last.action.as_str(), last.details.contains("255")), ("key.rewrapped", false));
}
