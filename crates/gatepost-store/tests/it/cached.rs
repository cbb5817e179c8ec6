//! This file is where it is tested what the cache of clients keeps, what it forgets, and what it asks the store for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatepost_core::change::{Change, Subject};
use gatepost_core::clients::{Client, ClientId, ClientRecord};
use gatepost_core::partners::{Partner, Status};
use gatepost_store::{CachedClients, Store, StoreError};
use tokio::task::JoinHandle;

use crate::engines::Home;
use crate::gated::Gated;
use crate::samples::{acme, audited, client, partner};

type Answer = JoinHandle<Result<Option<Arc<ClientRecord>>, StoreError>>;

fn unknown(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

/// A store with `count` clients, half of them of each of two partners.
async fn with_clients(home: &Home, count: usize) -> (Arc<dyn Store>, [Partner; 2], Vec<Client>) {
    let store = home.open().await;
    let owners = [partner("acme"), partner("zeta")];
    let clients =
        (0..count).map(|number| client(&format!("c{number}"), &owners[number % 2], &[])).collect::<Vec<_>>();
    let created = clients.iter().map(|client| Change::ClientCreated { client: client.clone(), secret: None });
    let changes = owners.clone().map(Change::PartnerCreated).into_iter().chain(created);
    store.apply(&audited(changes)).await.unwrap();
    (store, owners, clients)
}

async fn gated(home: &Home) -> (Arc<Gated>, Arc<CachedClients>, Client) {
    let inner = home.open().await;
    let (_, _, app, changes) = acme();
    inner.apply(&changes).await.unwrap();
    let store = Gated::new(inner);
    (store.clone(), Arc::new(CachedClients::new(store, 100)), app)
}

fn asked(cached: &Arc<CachedClients>, id: &ClientId) -> Answer {
    let (cached, id) = (cached.clone(), id.clone());
    tokio::spawn(async move { cached.record(&id).await })
}

/// Waits until one more look-up has read.
async fn one_has_read(store: &Gated) {
    let read = tokio::time::timeout(Duration::from_secs(10), store.read.acquire()).await;
    read.expect("a look-up reads from the store").unwrap().forget();
}

#[tokio::test]
async fn a_known_client_is_read_once_and_an_unknown_one_each_time() {
    let home = Home::sqlite();
    let (store, _, clients) = with_clients(&home, 1).await;
    let cached = CachedClients::new(store, 10);
    for _ in 0..5 {
        assert_eq!(cached.record(&clients[0].id).await.unwrap().unwrap().client, clients[0]);
    }
    assert_eq!(cached.reads(), 1);

    for _ in 0..5 {
        assert_eq!(cached.record(&unknown("nobody")).await.unwrap(), None);
    }
    assert_eq!(cached.reads(), 6);
}

#[tokio::test]
async fn a_crowd_that_is_not_in_memory_is_read_by_a_few_statements() {
    let home = Home::sqlite();
    let (inner, _, clients) = with_clients(&home, 40).await;
    let store = Gated::new(inner);
    let cached = Arc::new(CachedClients::new(store.clone(), 100));
    let answers: Vec<Answer> = clients.iter().map(|client| asked(&cached, &client.id)).collect();
    store.gate.add_permits(clients.len());

    for (answer, client) in answers.into_iter().zip(&clients) {
        assert_eq!(&answer.await.unwrap().unwrap().unwrap().client, client, "each gets its own");
    }
    assert_eq!(cached.reads(), 40);
    let statements = store.statements.load(Ordering::Relaxed);
    assert!((1..=5).contains(&statements), "{statements}");
}

#[tokio::test]
async fn once_the_ids_are_learnt_unknown_clients_cost_no_read_and_new_ones_are_found() {
    let home = Home::sqlite();
    let (store, _, clients) = with_clients(&home, 3).await;
    let cached = CachedClients::new(store, 10);
    cached.learn_ids().await.unwrap();
    cached.record(&unknown("nobody")).await.unwrap();
    assert_eq!((cached.lookups(), cached.reads()), (1, 0));
    assert!(cached.record(&clients[2].id).await.unwrap().is_some());

    cached.forget(&Subject::Client(unknown("came-later")));
    for _ in 0..3 {
        cached.record(&unknown("came-later")).await.unwrap();
    }
    assert_eq!((cached.lookups(), cached.reads()), (5, 2), "one read tells that it is gone");
    cached.forget(&Subject::Client(unknown("came-later")));
    cached.record(&unknown("came-later")).await.unwrap();
    assert_eq!(cached.reads(), 3, "what changed is read again");
}

#[tokio::test]
async fn who_was_read_ahead_costs_no_read_not_even_the_first_time_nor_after_a_change() {
    let home = Home::sqlite();
    let (store, owners, clients) = with_clients(&home, 600).await;
    let cached = CachedClients::new(store, 1_000);
    let all_are_there = async || {
        for client in &clients {
            assert_eq!(&cached.record(&client.id).await.unwrap().unwrap().client, client);
        }
        cached.reads()
    };
    let seen = cached.warm().await.unwrap();
    assert_eq!((all_are_there().await, seen), (0, 600));

    for subject in [
        Some(Subject::Client(clients[1].id.clone())),
        Some(Subject::Partner(owners[0].id)),
        Some(Subject::Client(unknown("came-and-went"))),
        None,
    ] {
        subject.as_ref().map_or_else(|| cached.forget_all(), |subject| cached.forget(subject));
        cached.any_cold().await;
        cached.warm().await.unwrap();
        assert_eq!(all_are_there().await, 0, "{subject:?}");
    }
}

#[tokio::test]
async fn no_more_clients_are_read_ahead_than_there_is_room_for() {
    let home = Home::sqlite();
    let (store, _, _) = with_clients(&home, 1_000).await;
    let cached = CachedClients::new(store, 300);
    let seen = cached.warm().await.unwrap();
    assert_eq!(seen, 300);
}

#[tokio::test]
async fn who_could_not_be_read_ahead_is_the_next_time() {
    let home = Home::sqlite();
    let (store, cached, app) = gated(&home).await;
    store.gate.add_permits(100);
    store.fails.store(true, Ordering::Relaxed);
    assert!(cached.warm().await.is_err());

    store.fails.store(false, Ordering::Relaxed);
    cached.any_cold().await;
    cached.warm().await.unwrap();
    assert!(cached.record(&app.id).await.unwrap().is_some());
    assert_eq!(cached.reads(), 0);
}

#[tokio::test]
async fn reading_ahead_puts_nothing_stale_back() {
    let home = Home::sqlite();
    let (store, cached, app) = gated(&home).await;
    let warming = tokio::spawn({
        let cached = Arc::clone(&cached);
        async move { cached.warm().await }
    });
    one_has_read(&store).await;
    let suspended = Change::ClientUpdated(Client { status: Status::Suspended, ..app.clone() });
    let subject = suspended.subject();
    store.apply(&audited([suspended])).await.unwrap();
    cached.forget(&subject);
    store.gate.add_permits(100);
    warming.await.unwrap().unwrap();

    assert_eq!(cached.record(&app.id).await.unwrap().unwrap().client.status, Status::Suspended);
}

#[tokio::test]
async fn made_up_ids_do_not_push_known_clients_out() {
    let home = Home::sqlite();
    let (store, _, clients) = with_clients(&home, 10).await;
    let cached = CachedClients::new(store, 10);
    for client in &clients {
        cached.record(&client.id).await.unwrap();
    }
    for number in 0..1_000 {
        cached.record(&unknown(&format!("made-up-{number}"))).await.unwrap();
    }
    assert_eq!(cached.reads(), 1_010);

    for client in &clients {
        cached.record(&client.id).await.unwrap();
    }
    assert_eq!(cached.reads(), 1_010);
}

#[tokio::test]
async fn no_more_clients_are_kept_than_the_capacity_allows() {
    let home = Home::sqlite();
    let (store, _, clients) = with_clients(&home, 1_000).await;
    let cached = CachedClients::new(store, 2);
    for _ in 0..2 {
        for client in &clients {
            cached.record(&client.id).await.unwrap();
        }
    }

    // The cache clears up in portions, so a few hundred may stay for a moment.
    assert!(cached.reads() > 1_500, "{}", cached.reads());
}

#[tokio::test]
async fn what_is_forgotten_is_read_anew_and_nothing_else() {
    let home = Home::sqlite();
    let (store, owners, clients) = with_clients(&home, 4).await;
    let cached = CachedClients::new(store, 100);
    let reads_after = async |subject: Option<Subject>| {
        match subject {
            Some(subject) => cached.forget(&subject),
            None => cached.forget_all(),
        }
        let before = cached.reads();
        for client in &clients {
            cached.record(&client.id).await.unwrap();
        }
        cached.reads() - before
    };

    assert_eq!(reads_after(None).await, 4);
    assert_eq!(reads_after(Some(Subject::Client(clients[1].id.clone()))).await, 1);
    assert_eq!(reads_after(Some(Subject::Partner(owners[0].id))).await, 2);
    assert_eq!(reads_after(Some(Subject::Server)).await, 0);
    assert_eq!(reads_after(Some(Subject::Api(acme().1.id))).await, 0);
    assert_eq!(reads_after(None).await, 4);
}

#[tokio::test]
async fn a_change_shows_once_its_subject_is_forgotten() {
    let home = Home::sqlite();
    let (store, owners, clients) = with_clients(&home, 1).await;
    let cached = CachedClients::new(store.clone(), 100);
    cached.record(&clients[0].id).await.unwrap();
    let suspended = Change::PartnerUpdated(Partner { status: Status::Suspended, ..owners[0].clone() });
    let subject = suspended.subject();
    store.apply(&audited([suspended])).await.unwrap();
    cached.forget(&subject);

    let record = cached.record(&clients[0].id).await.unwrap().unwrap();
    assert_eq!(record.partner_status, Status::Suspended);
}

#[tokio::test]
async fn a_storm_on_one_client_reads_once() {
    let home = Home::sqlite();
    let (store, cached, app) = gated(&home).await;
    let storm = (0..64).map(|_| asked(&cached, &app.id)).collect::<Vec<_>>();
    one_has_read(&store).await;
    store.gate.add_permits(100);

    for answer in storm {
        assert_eq!(answer.await.unwrap().unwrap().unwrap().client, app);
    }
    assert_eq!(cached.reads(), 1);
}

#[tokio::test]
async fn a_storm_on_a_lost_store_asks_it_once_and_the_next_request_again() {
    let home = Home::sqlite();
    let (store, cached, app) = gated(&home).await;
    store.fails.store(true, Ordering::Relaxed);
    let storm = (0..64).map(|_| asked(&cached, &app.id)).collect::<Vec<_>>();
    one_has_read(&store).await;
    store.gate.add_permits(100);
    for answer in storm {
        assert!(matches!(answer.await.unwrap(), Err(StoreError::Unavailable(_))));
    }
    assert_eq!(cached.reads(), 1);

    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(cached.record(&app.id).await.unwrap().unwrap().client, app);
    assert_eq!(cached.reads(), 2);
}

/// A read that has its answer already when `subject` changes and is forgotten must not put the old state back.
async fn a_read_under_way_is_stale_after(forget: impl Fn(&CachedClients, &Partner, &Client)) {
    let home = Home::sqlite();
    let (store, cached, app) = gated(&home).await;
    let owner = acme().0;
    let early = asked(&cached, &app.id);
    one_has_read(&store).await;
    let suspended = [
        Change::PartnerUpdated(Partner { status: Status::Suspended, ..owner.clone() }),
        Change::ClientUpdated(Client { status: Status::Suspended, ..app.clone() }),
    ];
    store.apply(&audited(suspended)).await.unwrap();
    forget(&cached, &owner, &app);

    let late = asked(&cached, &app.id);
    one_has_read(&store).await;
    store.gate.add_permits(1);
    assert_eq!(
        early.await.unwrap().unwrap().unwrap().client.status,
        Status::Active,
        "it came before the change"
    );
    let last = asked(&cached, &app.id);
    tokio::task::yield_now().await;
    store.gate.add_permits(100);
    for answer in [late, last] {
        assert_eq!(answer.await.unwrap().unwrap().unwrap().client.status, Status::Suspended);
    }
    assert_eq!(cached.record(&app.id).await.unwrap().unwrap().client.status, Status::Suspended);
    assert_eq!(cached.reads(), 2);
}

#[tokio::test]
async fn a_read_under_way_when_its_client_is_forgotten_puts_nothing_stale_back() {
    a_read_under_way_is_stale_after(|cached, _, app| cached.forget(&Subject::Client(app.id.clone()))).await;
}

#[tokio::test]
async fn a_read_under_way_when_its_partner_is_forgotten_puts_nothing_stale_back() {
    a_read_under_way_is_stale_after(|cached, owner, _| cached.forget(&Subject::Partner(owner.id))).await;
}

#[tokio::test]
async fn a_read_under_way_when_all_is_forgotten_puts_nothing_stale_back() {
    a_read_under_way_is_stale_after(|cached, _, _| cached.forget_all()).await;
}

#[tokio::test]
async fn when_the_one_who_reads_gives_up_the_next_one_reads() {
    let home = Home::sqlite();
    let (store, cached, app) = gated(&home).await;
    let reader = asked(&cached, &app.id);
    one_has_read(&store).await;
    let waiter = asked(&cached, &app.id);
    tokio::task::yield_now().await;
    reader.abort();
    assert!(reader.await.unwrap_err().is_cancelled());

    one_has_read(&store).await;
    store.gate.add_permits(100);
    assert_eq!(waiter.await.unwrap().unwrap().unwrap().client, app);
    assert_eq!(cached.record(&app.id).await.unwrap().unwrap().client, app);
    assert_eq!(cached.reads(), 2);
}
