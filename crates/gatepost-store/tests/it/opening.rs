//! This file is where it is tested what every engine does when a store is opened.

use std::time::Duration;

use gatepost_core::change::Change;
use gatepost_store::{Location, Page, Soundness, StoreError};
use sqlx::Executor;

use crate::engines::{Home, on_every_engine, raw_postgres, raw_sqlite};
use crate::samples::{audited, partner};

on_every_engine![
    openers_of_a_new_store_at_once_all_get_it,
    a_store_of_a_newer_version_is_refused,
    a_new_store_is_not_damaged,
    a_store_whose_schema_was_made_otherwise_is_refused,
    a_store_that_someone_else_keeps_locked_is_not_available,
    a_caller_who_gives_up_leaves_nothing_half_done,
];

async fn openers_of_a_new_store_at_once_all_get_it(home: Home) {
    let openers = (0..8).map(|_| {
        let location = home.location.clone();
        tokio::spawn(async move { gatepost_store::open(&location, 2).await.unwrap() })
    });
    let mut stores = Vec::new();
    for opener in openers.collect::<Vec<_>>() {
        stores.push(opener.await.unwrap());
    }

    for (store, slug) in stores.iter().zip('a'..) {
        let created = Change::PartnerCreated(partner(&slug.to_string()));
        store.apply(&audited([created])).await.unwrap();
    }
    assert_eq!(stores[0].partners(Page::LONGEST).await.unwrap().len(), 8);
}

async fn a_new_store_is_not_damaged(home: Home) {
    let found = home.open().await.soundness().await.unwrap();
    assert!(!matches!(found, Soundness::Damaged(_)), "{found:?}");
}

async fn a_store_of_a_newer_version_is_refused(home: Home) {
    home.open().await.close().await;
    // What a later version leaves behind: a step that this one does not know.
    match &home.location {
        Location::Sqlite(_) => home.meddle("PRAGMA user_version = 99").await,
        Location::Postgres(_) => {
            let step =
                "INSERT INTO gatepost_migrations (version, description, success, checksum, execution_time)
                VALUES (99, 'later', true, '', 0)";
            home.meddle(step).await;
        }
    }

    let refusal = gatepost_store::open(&home.location, 2).await.err().unwrap();
    let StoreError::Unreadable(text) = refusal else { panic!("{refusal:?}") };
    assert!(text.contains("newer version of Gatepost (schema 99, this one knows 6); upgrade"), "{text}");
}

async fn a_store_whose_schema_was_made_otherwise_is_refused(home: Home) {
    home.open().await.close().await;
    match &home.location {
        Location::Sqlite(_) => {
            home.meddle("UPDATE gatepost_migrations SET checksum = x'00'; PRAGMA user_version = 0").await;
        }
        Location::Postgres(_) => home.meddle("UPDATE gatepost_migrations SET checksum = '\\x00'").await,
    }

    let refusal = gatepost_store::open(&home.location, 2).await.err().unwrap();
    assert!(
        matches!(&refusal, StoreError::Unreadable(text) if text.contains("other statements")),
        "{refusal:?}"
    );
}

async fn a_store_that_someone_else_keeps_locked_is_not_available(home: Home) {
    let store = home.open().await;
    let change = audited([Change::PartnerCreated(partner("acme"))]);
    let refusal = match &home.location {
        Location::Sqlite(file) => {
            let mut holder = raw_sqlite(file).await;
            holder.execute("BEGIN IMMEDIATE").await.unwrap();
            store.apply(&change).await
        }
        Location::Postgres(address) => {
            let mut holder = raw_postgres(&address.0).await;
            holder.execute("BEGIN; LOCK TABLE partners IN ACCESS EXCLUSIVE MODE").await.unwrap();
            store.apply(&change).await
        }
    };

    assert!(matches!(refusal, Err(StoreError::Unavailable(_))), "{refusal:?}");
    let free = async { while store.apply(&change).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), free)
        .await
        .expect("the store recovers when the holder has gone");
    assert_eq!(store.head().await.unwrap(), 1);
}

async fn a_caller_who_gives_up_leaves_nothing_half_done(home: Home) {
    let store = home.open().await;
    for number in 0..200 {
        let names = [format!("p{number}-a"), format!("p{number}-b")];
        let batch = audited(names.iter().map(|name| Change::PartnerCreated(partner(name))));
        // Given up after so many polls: each time at another point of the work.
        let polls = std::cell::Cell::new(0);
        let mut work = std::pin::pin!(store.apply(&batch));
        std::future::poll_fn(|context| {
            polls.set(polls.get() + 1);
            match work.as_mut().poll(context) {
                std::task::Poll::Pending if polls.get() < number % 20 => std::task::Poll::Pending,
                std::task::Poll::Pending | std::task::Poll::Ready(_) => std::task::Poll::Ready(()),
            }
        })
        .await;
    }

    let lines = crate::chain::whole_chain(store.as_ref()).await;
    assert_eq!(lines.len() % 2, 0);
    assert_eq!(store.partners(Page::LONGEST).await.unwrap().len(), lines.len());
    assert!(!lines.is_empty() && lines.len() < 400, "{}: some were given up, some done", lines.len());
}
