//! This file is where it is tested that what was revoked is remembered as long as it must be, and no longer.

use gatepost_core::change::{Change, Subject};
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::revoke::{Revocation, Revoked};
use gatepost_store::Store;

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, api, at, audited};

on_every_engine![
    revocations_come_back_with_the_change_that_brought_them,
    one_client_can_be_revoked_again_and_again,
    a_revocation_outlives_what_was_revoked,
    what_is_over_is_neither_told_nor_kept,
    revocations_are_forgotten_in_portions,
    several_nodes_that_forget_at_once_forget_each_once,
];

fn token(jti: &str, until: i64) -> Revocation {
    let (what, apis) = (Revoked::Token(jti.to_owned()), vec![api("bookings").id]);
    let client = Some(acme().2.id);
    Revocation { what, apis, at: at(1), until: at(until), client }
}

async fn revoke(store: &dyn Store, revocations: impl IntoIterator<Item = Revocation>) {
    store.apply(&audited(revocations.into_iter().map(Change::Revoked))).await.unwrap();
}

async fn told(store: &dyn Store, now: Timestamp) -> Vec<i64> {
    let told = store.revocations(0, now, 1_000).await.unwrap();
    told.into_iter().map(|(seq, _)| seq).collect()
}

async fn revocations_come_back_with_the_change_that_brought_them(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let all = [
        token("0123:\"ü", 10),
        Revocation { what: Revoked::Client(app.id), apis: vec![], ..token("", 20) },
        Revocation {
            what: Revoked::Partner(owner.id),
            apis: vec![api("a").id, bookings.id],
            at: at(7),
            ..token("", 30)
        },
    ];
    revoke(store.as_ref(), all.clone()).await;

    let numbered = (6..).zip(all).collect::<Vec<_>>();
    assert_eq!(store.revocations(0, at(0), 10).await.unwrap(), numbered);
    assert_eq!(store.revocations(6, at(0), 1).await.unwrap(), numbered[1..2]);
    assert_eq!(store.revocations(8, at(0), 10).await.unwrap(), []);
    let news = store.news(7, 1).await.unwrap().remove(0);
    assert_eq!((news.seq, news.subject), (8, Some(Subject::Revocation(numbered[2].1.what.name()))));
}

async fn one_client_can_be_revoked_again_and_again(home: Home) {
    let store = home.open().await;
    let once = Revocation { what: Revoked::Client(acme().2.id), ..token("", 20) };
    let again = Revocation { at: at(2), until: at(40), ..once.clone() };
    revoke(store.as_ref(), [once.clone(), again.clone(), once.clone()]).await;

    let told = store.revocations(0, at(0), 10).await.unwrap();
    assert_eq!(told, [(1, once.clone()), (2, again), (3, once)]);
}

async fn a_revocation_outlives_what_was_revoked(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let revoked = Revocation { what: Revoked::Client(app.id.clone()), ..token("", 20) };
    let gone =
        [Change::ClientDeleted(app.id), Change::PartnerDeleted(owner.id), Change::ApiDeleted(bookings.id)];
    store.apply(&audited([Change::Revoked(revoked.clone())].into_iter().chain(gone))).await.unwrap();

    assert_eq!(store.revocations(0, at(0), 10).await.unwrap(), [(6, revoked)]);
}

async fn what_is_over_is_neither_told_nor_kept(home: Home) {
    let store = home.open().await;
    revoke(store.as_ref(), [token("a", 10), token("b", 20), token("c", 30)]).await;

    assert_eq!(told(store.as_ref(), at(9)).await, [1, 2, 3]);
    assert_eq!(told(store.as_ref(), at(10)).await, [2, 3]);
    assert_eq!(store.forget_revocations(at(9), 100).await.unwrap(), 0);
    assert_eq!(store.forget_revocations(at(20), 100).await.unwrap(), 2);
    assert_eq!(told(store.as_ref(), at(0)).await, [3]);
    assert_eq!(store.head().await.unwrap(), 3, "forgetting is no change");
}

async fn revocations_are_forgotten_in_portions(home: Home) {
    let store = home.open().await;
    revoke(store.as_ref(), (0..10).map(|number| token(&number.to_string(), 100 - number))).await;

    assert_eq!(store.forget_revocations(at(97), 3).await.unwrap(), 3);
    assert_eq!(told(store.as_ref(), at(0)).await, [1, 2, 3, 4, 5, 6, 7], "the longest over go first");
    assert_eq!(store.forget_revocations(at(97), 30).await.unwrap(), 4);
    assert_eq!(told(store.as_ref(), at(0)).await, [1, 2, 3]);
}

async fn several_nodes_that_forget_at_once_forget_each_once(home: Home) {
    let stores = [home.open().await, home.open().await];
    revoke(stores[0].as_ref(), (0..200).map(|number| token(&number.to_string(), 10))).await;
    let nodes = (0..8).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move { store.forget_revocations(at(10), 25).await.unwrap() })
    });
    let mut forgotten = 0;
    for node in nodes.collect::<Vec<_>>() {
        forgotten += node.await.unwrap();
    }
    forgotten += stores[0].forget_revocations(at(10), 1_000).await.unwrap();

    assert_eq!(forgotten, 200);
    assert_eq!(told(stores[1].as_ref(), at(0)).await, [0_i64; 0]);
}
