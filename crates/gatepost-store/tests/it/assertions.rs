//! This file is where it is tested that a client assertion counts once, whoever presents it wherever at the same moment.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use gatepost_core::clients::ClientId;
use gatepost_store::{Location, Store, StoreError};
use sqlx::{Connection, Executor};
use tokio::task::JoinHandle;

use crate::engines::{Home, on_every_engine, raw_postgres, raw_sqlite};
use crate::postgres::statements;
use crate::samples::at;

on_every_engine![
    an_assertion_counts_once_for_its_client,
    any_text_can_be_an_id,
    of_many_at_once_one_hears_true_also_across_nodes,
    a_crowd_gets_each_its_own_answer,
    what_was_remembered_outlives_the_process,
    only_what_is_over_is_forgotten,
    a_store_that_is_away_is_not_available_and_recovers,
    a_closed_store_is_not_available,
];

fn named(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

fn asked(store: &Arc<dyn Store>, client: &str, jti: &str) -> JoinHandle<Result<bool, StoreError>> {
    let (store, client, jti) = (store.clone(), named(client), jti.to_owned());
    tokio::spawn(async move { store.remember_once(&client, &jti, at(10)).await })
}

async fn once(store: &dyn Store, client: &str, jti: &str) -> bool {
    store.remember_once(&named(client), jti, at(10)).await.unwrap()
}

async fn an_assertion_counts_once_for_its_client(home: Home) {
    let store = home.open().await;

    assert!(once(store.as_ref(), "a", "x").await);
    assert!(!once(store.as_ref(), "a", "x").await);
    assert!(!store.remember_once(&named("a"), "x", at(99_999)).await.unwrap(), "whatever its end is");
    assert!(once(store.as_ref(), "b", "x").await);
    assert!(once(store.as_ref(), "a", "X").await);
}

async fn any_text_can_be_an_id(home: Home) {
    let store = home.open().await;
    let long = "x".repeat(100_000);
    let longer = format!("{long}x");

    for jti in
        ["", " ", "\0", "a\0b", "a\0c", "'; DROP TABLE assertions; --", "ü", "u\u{308}", &long, &longer]
    {
        assert!(once(store.as_ref(), "a", jti).await, "{jti:.20}");
        assert!(!once(store.as_ref(), "a", jti).await, "{jti:.20}");
    }
}

async fn of_many_at_once_one_hears_true_also_across_nodes(home: Home) {
    let nodes = [home.open().await, home.open().await];
    for round in 0..10 {
        let jti = format!("x{round}");
        let asked = (0..64).map(|number| asked(&nodes[number % 2], "a", &jti)).collect::<Vec<_>>();
        let mut first = 0;
        for answer in asked {
            first += usize::from(answer.await.unwrap().unwrap());
        }
        assert_eq!(first, 1, "round {round}");
    }
}

async fn a_crowd_gets_each_its_own_answer(home: Home) {
    let nodes = [home.open().await, home.open().await];
    for number in (0..200).step_by(2) {
        assert!(once(nodes[0].as_ref(), "a", &number.to_string()).await);
    }
    // In opposite orders at the two nodes: none may wait for the other for ever.
    let at_node = |node: usize, number: usize| (number, asked(&nodes[node], "a", &number.to_string()));
    let one = (0..200).map(|number| at_node(0, number)).collect::<Vec<_>>();
    let other = (0..200).rev().map(|number| at_node(1, number)).collect::<Vec<_>>();
    let mut heard = [0; 200];
    for (number, answer) in one.into_iter().chain(other) {
        heard[number] += usize::from(answer.await.unwrap().unwrap());
    }

    for (number, heard) in heard.into_iter().enumerate() {
        assert_eq!(heard, number % 2, "{number}: the even ones were there before");
    }
}

async fn what_was_remembered_outlives_the_process(home: Home) {
    let store = home.open().await;
    assert!(once(store.as_ref(), "a", "x").await);
    store.close().await;
    drop(store);

    let store = home.open().await;
    assert!(!once(store.as_ref(), "a", "x").await);
    assert_eq!(store.head().await.unwrap(), 0, "an assertion is no change");
}

async fn only_what_is_over_is_forgotten(home: Home) {
    let store = home.open().await;
    for end in 1..=10 {
        assert!(store.remember_once(&named("a"), &end.to_string(), at(end)).await.unwrap());
    }
    assert_eq!(store.forget_assertions(at(0), 100).await.unwrap(), 0);
    assert_eq!(store.forget_assertions(at(6), 4).await.unwrap(), 4);
    assert_eq!(store.forget_assertions(at(6), 4).await.unwrap(), 2);
    assert_eq!(store.forget_assertions(at(6), 4).await.unwrap(), 0);

    for end in 1..=10 {
        let new = store.remember_once(&named("a"), &end.to_string(), at(end)).await.unwrap();
        assert_eq!(new, end <= 6, "{end}");
    }
}

async fn a_store_that_is_away_is_not_available_and_recovers(home: Home) {
    let store = home.open().await;
    let refusal = match &home.location {
        Location::Sqlite(file) => {
            let mut holder = raw_sqlite(file).await;
            holder.execute("BEGIN IMMEDIATE").await.unwrap();
            let refusal = asked(&store, "a", "x").await.unwrap();
            holder.close().await.unwrap();
            refusal
        }
        Location::Postgres(address) => {
            let mut holder = raw_postgres(&address.0).await;
            holder.execute("BEGIN; LOCK TABLE assertions IN ACCESS EXCLUSIVE MODE").await.unwrap();
            let refusal = asked(&store, "a", "x").await.unwrap();
            holder.close().await.unwrap();
            refusal
        }
    };
    assert!(matches!(refusal, Err(StoreError::Unavailable(_))), "{refusal:?}");

    assert!(once(store.as_ref(), "a", "x").await, "what was not answered was not written");
}

async fn a_closed_store_is_not_available(home: Home) {
    let store = home.open().await;
    store.close().await;

    let refusal = asked(&store, "a", "x").await.unwrap();
    assert!(matches!(refusal, Err(StoreError::Unavailable(_))), "{refusal:?}");
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<bool, StoreError>> + Send + 'a>>;

/// Asks once for each id, without waiting. On one thread all questions are in the queue before the writer sees the first.
async fn all_asked<'a>(
    store: &'a dyn Store,
    client: &'a ClientId,
    ids: &'a [String],
) -> (Vec<Asked<'a>>, usize) {
    let (mut waiting, mut sent_away) = (Vec::new(), 0);
    for jti in ids {
        let mut asked = store.remember_once(client, jti, at(10));
        match std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context))).await {
            Poll::Pending => waiting.push(asked),
            Poll::Ready(Err(StoreError::Unavailable(_))) => sent_away += 1,
            Poll::Ready(answer) => panic!("{jti}: {answer:?} before the writer came"),
        }
    }
    (waiting, sent_away)
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn those_who_wait_together_are_written_together() {
    let home = Home::postgres().await;
    let store = home.open().await;
    let (client, ids) = (named("a"), ids(500));
    let (waiting, _) = all_asked(store.as_ref(), &client, &ids).await;
    for asked in waiting {
        assert!(asked.await.unwrap());
    }

    let sent = statements(home.address());
    let sent = sent.iter().filter(|sent| sent.contains("INSERT INTO assertions")).count();
    assert_eq!(sent, 1, "500 assertions are one statement, and so one commit");
}

#[tokio::test]
async fn who_finds_the_queue_full_is_sent_away_at_once() {
    let home = Home::sqlite();
    let store = home.open().await;
    let (client, ids) = (named("a"), ids(3_000));
    let (waiting, sent_away) = all_asked(store.as_ref(), &client, &ids).await;

    assert!(waiting.len() >= 1_000 && sent_away >= 1_000, "{} wait, {sent_away} do not", waiting.len());
    for asked in waiting {
        assert!(asked.await.unwrap());
    }
    assert!(once(store.as_ref(), "a", "2999").await, "who was sent away left nothing behind");
}

#[tokio::test]
async fn who_gives_up_before_the_writer_comes_takes_no_part() {
    let home = Home::sqlite();
    let store = home.open().await;
    let (client, ids) = (named("a"), ["x", "y", "x", "x"].map(str::to_owned));
    let (mut waiting, _) = all_asked(store.as_ref(), &client, &ids).await;
    drop(waiting.drain(..2));

    let mut heard = Vec::new();
    for asked in waiting {
        heard.push(asked.await.unwrap());
    }
    assert_eq!(heard, [true, false]);
    assert!(once(store.as_ref(), "a", "y").await);
}
