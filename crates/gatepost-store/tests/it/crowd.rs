//! This file is where it is tested that very many clients, whose records are kept small, are kept as truly as few.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatepost_core::change::{Change, Subject};
use gatepost_core::clients::{Client, ClientId, SecretId, StoredSecret, UserId};
use gatepost_core::limits::ClientLimits;
use gatepost_core::name::Name;
use gatepost_core::partners::{Partner, Status};
use gatepost_core::secret::SecretTag;
use gatepost_store::{CachedClients, Store};
use uuid::Uuid;

use crate::engines::Home;
use crate::gated::Gated;
use crate::samples::{acme, at, audited, client, client_key, partner, secret};

fn like(model: &Client, number: u64) -> Client {
    Client {
        id: ClientId::from_uuid(Uuid::from_u64_pair(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number)),
        user_id: UserId(Uuid::from_u64_pair(1, number)),
        name: Name::parse(&format!("Prüfer {number}")).unwrap(),
        created: at(i64::try_from(number).unwrap()),
        expires: number.is_multiple_of(7).then(|| at(9_000_000)),
        ..model.clone()
    }
}

fn secret_of(number: u64) -> StoredSecret {
    let tag = SecretTag { pepper: "p1".to_owned(), tag: number.to_be_bytes().repeat(4) };
    let every = |other: u64| number.is_multiple_of(other);
    StoredSecret {
        id: SecretId(Uuid::from_u64_pair(2, number)),
        label: every(2).then(|| Name::parse(&format!("label {number}")).unwrap()),
        tag,
        not_before: every(3).then(|| at(1)),
        expires: every(5).then(|| at(i64::MAX / 2)),
        ..secret("like")
    }
}

/// A store with many clients, each with a secret, half of them of each of two partners, and some unlike the others.
struct Crowd {
    store: Arc<dyn Store>,
    owners: [Partner; 2],
    ids: Vec<ClientId>,
    _home: Home,
}

/// The one with a key is not kept small: where none is kept whole it is read each time.
const KEYED: u64 = 1;

impl Crowd {
    async fn of(count: u64) -> Self {
        let home = Home::sqlite();
        let store = home.open().await;
        let owners = [partner("mill"), partner("zeta")];
        let models = [client("m", &owners[0], &[]), client("z", &owners[1], &[])];
        let clients: Vec<Client> =
            (0..count).map(|number| like(&models[usize::from(number % 2 == 1)], number)).collect();
        let created = (0..count).zip(&clients).map(|(number, client)| Change::ClientCreated {
            client: client.clone(),
            secret: Some(secret_of(number)),
        });
        let changes: Vec<Change> =
            owners.clone().map(Change::PartnerCreated).into_iter().chain(created).collect();
        store.apply(&audited(changes)).await.unwrap();
        store.apply(&audited(odd(&clients, count))).await.unwrap();
        let ids = clients.into_iter().map(|client| client.id).collect();
        Self { store, owners, ids, _home: home }
    }

    /// A memory in front of it that knows all ids and has room for so many records, none of them whole.
    async fn kept_small(&self, capacity: u64) -> CachedClients {
        kept(Arc::clone(&self.store), capacity, 0).await
    }

    /// How many reads it takes until every record has come as the store has it.
    async fn reads_for_all(&self, cached: &CachedClients) -> u64 {
        let before = cached.reads();
        for id in &self.ids {
            let kept = cached.record(id).await.unwrap();
            assert_eq!(kept.as_deref(), self.store.client_record(id).await.unwrap().as_ref(), "{id}");
        }
        cached.reads() - before
    }
}

/// What makes some of the crowd unlike the others.
fn odd(clients: &[Client], count: u64) -> [Change; 4] {
    [
        Change::SecretAdded { client: clients[0].id.clone(), secret: secret_of(count) },
        Change::ClientKeyAdded { client: clients[1].id.clone(), key: client_key("k", 5) },
        Change::ClientLimited {
            client: clients[2].id.clone(),
            limits: ClientLimits { per_day: Some(7), ..ClientLimits::default() },
        },
        Change::ClientUpdated(Client { is_test: false, default_scopes: None, ..clients[3].clone() }),
    ]
}

/// A memory that knows all ids, with room for so many records and for so many of them whole.
async fn kept(store: Arc<dyn Store>, capacity: u64, whole: u64) -> CachedClients {
    let cached = CachedClients::with_whole(store, capacity, whole);
    cached.learn_ids().await.unwrap();
    cached
}

#[tokio::test]
async fn every_record_of_a_crowd_is_kept_as_the_store_has_it() {
    let crowd = Crowd::of(60).await;
    let cached = crowd.kept_small(1_000).await;
    assert_eq!(crowd.reads_for_all(&cached).await, 60, "each is read once");
    assert_eq!(crowd.reads_for_all(&cached).await, KEYED);

    let warmed = crowd.kept_small(1_000).await;
    warmed.warm().await.unwrap();
    assert_eq!(crowd.reads_for_all(&warmed).await, KEYED, "read ahead");
}

#[tokio::test]
async fn another_spelling_of_an_id_is_nobodys_and_the_client_stays() {
    let crowd = Crowd::of(60).await;
    let cached = crowd.kept_small(1_000).await;
    crowd.reads_for_all(&cached).await;
    let letters = |id: &&ClientId| id.as_str().bytes().any(|byte| byte.is_ascii_lowercase());
    let id = crowd.ids.iter().find(letters).unwrap();
    let other = ClientId::parse(&id.as_str().to_uppercase()).unwrap();
    assert_eq!(cached.record(&other).await.unwrap(), None);
    assert_eq!(cached.record(id).await.unwrap().map(|record| record.client.id.clone()), Some(id.clone()));
}

#[tokio::test]
async fn of_a_crowd_who_has_a_key_is_kept_whole() {
    let crowd = Crowd::of(60).await;
    let cached = kept(Arc::clone(&crowd.store), 1_000, 10).await;
    cached.warm().await.unwrap();
    assert_eq!(crowd.reads_for_all(&cached).await, 0);
}

#[tokio::test]
async fn of_a_crowd_what_is_forgotten_is_read_anew_and_nothing_else() {
    let crowd = Crowd::of(40).await;
    let cached = crowd.kept_small(1_000).await;
    cached.warm().await.unwrap();

    cached.forget(&Subject::Client(crowd.ids[7].clone()));
    assert_eq!(crowd.reads_for_all(&cached).await, 1 + KEYED);
    cached.forget(&Subject::Partner(crowd.owners[0].id));
    assert_eq!(crowd.reads_for_all(&cached).await, 20 + KEYED);
    cached.forget(&Subject::Partner(crowd.owners[0].id));
    cached.any_cold().await;
    cached.warm().await.unwrap();
    assert_eq!(crowd.reads_for_all(&cached).await, KEYED, "read ahead again");
    cached.forget_all();
    cached.learn_ids().await.unwrap();
    assert_eq!(crowd.reads_for_all(&cached).await, 40);
}

#[tokio::test]
async fn a_change_of_one_of_a_crowd_or_of_its_partner_shows_once_it_is_forgotten() {
    let crowd = Crowd::of(10).await;
    let cached = crowd.kept_small(1_000).await;
    cached.warm().await.unwrap();
    let before = cached.record(&crowd.ids[4]).await.unwrap().unwrap();
    let changes = [
        Change::ClientUpdated(Client { status: Status::Suspended, ..before.client.clone() }),
        Change::PartnerUpdated(Partner { status: Status::Suspended, ..crowd.owners[1].clone() }),
    ];
    let subjects = changes.clone().map(|change| change.subject());
    crowd.store.apply(&audited(changes)).await.unwrap();
    subjects.iter().for_each(|subject| cached.forget(subject));

    assert_eq!(cached.record(&crowd.ids[4]).await.unwrap().unwrap().client.status, Status::Suspended);
    assert_eq!(cached.record(&crowd.ids[5]).await.unwrap().unwrap().partner_status, Status::Suspended);
    assert_eq!(cached.record(&crowd.ids[6]).await.unwrap().unwrap().partner_status, Status::Active);
}

#[tokio::test]
async fn no_more_of_a_crowd_are_kept_than_there_is_room_for() {
    let crowd = Crowd::of(40).await;
    let cached = crowd.kept_small(30).await;
    crowd.reads_for_all(&cached).await;
    assert_eq!(crowd.reads_for_all(&cached).await, 10);
    cached.forget(&Subject::Client(crowd.ids[0].clone()));
    assert_eq!(crowd.reads_for_all(&cached).await, 11, "the room of one that went is taken");
    assert_eq!(crowd.reads_for_all(&cached).await, 10);
}

#[tokio::test]
async fn a_read_of_one_of_a_crowd_that_is_under_way_when_it_changes_puts_nothing_stale_back() {
    let home = Home::sqlite();
    let inner = home.open().await;
    let (_, _, app, changes) = acme();
    inner.apply(&changes).await.unwrap();
    let store = Gated::new(inner);
    let cached = Arc::new(kept(store.clone(), 100, 0).await);
    let early = tokio::spawn({
        let (cached, id) = (Arc::clone(&cached), app.id.clone());
        async move { cached.record(&id).await }
    });
    store.read.acquire().await.unwrap().forget();
    let suspended = Change::ClientUpdated(Client { status: Status::Suspended, ..app.clone() });
    let subject = suspended.subject();
    store.apply(&audited([suspended])).await.unwrap();
    cached.forget(&subject);
    store.gate.add_permits(100);
    early.await.unwrap().unwrap();

    assert_eq!(cached.record(&app.id).await.unwrap().unwrap().client.status, Status::Suspended);
}

#[tokio::test]
async fn a_storm_of_clients_that_are_not_in_memory_holds_up_nobody_who_is() {
    let crowd = Crowd::of(400).await;
    let store = Gated::new(Arc::clone(&crowd.store));
    let cached = Arc::new(kept(store.clone(), 1_000, 0).await);
    let (hot, cold) = crowd.ids.split_first().unwrap();
    store.gate.add_permits(1);
    cached.record(hot).await.unwrap().unwrap();

    let asked = |id: &ClientId| {
        let (cached, id) = (Arc::clone(&cached), id.clone());
        tokio::spawn(async move { cached.record(&id).await })
    };
    let storm: Vec<_> = cold.iter().map(asked).collect();
    store.read.acquire_many(2).await.unwrap().forget();
    for _ in 0..100 {
        assert!(cached.record(hot).await.unwrap().is_some(), "answered while the store answers nobody");
    }
    store.gate.add_permits(400);
    for one in storm {
        assert!(one.await.unwrap().unwrap().is_some());
    }
    let statements = store.statements.load(Ordering::Relaxed);
    assert!(statements <= 12, "{statements} statements for 400 clients");
}

#[tokio::test]
async fn while_two_statements_are_under_way_all_who_come_share_the_next() {
    let crowd = Crowd::of(40).await;
    let store = Gated::new(Arc::clone(&crowd.store));
    let cached = Arc::new(kept(store.clone(), 1_000, 0).await);
    let asked = |id: &ClientId| {
        let (cached, id) = (Arc::clone(&cached), id.clone());
        tokio::spawn(async move { cached.record(&id).await })
    };
    let (early, late) = crowd.ids.split_at(2);
    let mut all = Vec::new();
    for id in early {
        all.push(asked(id));
        store.read.acquire().await.unwrap().forget();
    }
    for id in late {
        all.push(asked(id));
        // Each comes by itself, and has done what it can before the next.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(store.statements.load(Ordering::Relaxed), 2, "they gather");
    store.gate.add_permits(40);
    for one in all {
        assert!(one.await.unwrap().unwrap().is_some());
    }
    assert_eq!(store.statements.load(Ordering::Relaxed), 3, "of all who came meanwhile one");
}
