//! This file is where it is tried what is counted of clients, and that counting never stands in the way.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::background::Background;
use gatepost_operations::{news, usage};
use sqlx::{Connection as _, SqliteConnection};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::stage::{Stage, ask};

#[tokio::test]
async fn tokens_are_counted_by_client_and_hour_and_summed_up() {
    let stage = Stage::with_api().await;
    let (acme, other) = (stage.client("Acme").await, stage.client("Other").await);
    for _ in 0..3 {
        ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.unwrap();
    }
    stage.pass(Duration::from_secs(3_600));
    news::take_up(&stage.gate).await.unwrap();
    ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.unwrap();
    ask(&stage.gate, &other.client.client_id, other.secret.expose()).await.unwrap();
    usage::flush(&stage.gate).await.unwrap();

    let hours = usage::show(&stage.gate, &acme.client.client_id, 24).await.unwrap();
    assert_eq!(hours.iter().map(|hour| hour.issued).collect::<Vec<_>>(), [3, 1]);
    let top = usage::top(&stage.gate, 24, 10).await.unwrap();
    assert_eq!((top[0].client_id.as_str(), top[0].issued), (acme.client.client_id.as_str(), 4));
    assert_eq!(top.len(), 2);
    assert_eq!(usage::top(&stage.gate, 1, 1).await.unwrap()[0].issued, 1);
}

#[tokio::test]
async fn counts_that_are_being_written_when_a_server_ends_are_there_afterwards() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    for _ in 0..3 {
        ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.unwrap();
    }
    let file = stage.folder.path().join("gatepost.db");
    let mut another = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut another).await.unwrap();

    let gate = Arc::new(stage.gate);
    let background = Background::start(&gate);
    let under_way = async {
        while !gate.is_writing_counts().await {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), under_way).await.unwrap();
    let mut ending = pin!(background.end());
    tokio::select! {
        biased;
        _ = &mut ending => panic!("it ended while another program kept the store from being written"),
        () = ready(()) => {}
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut another).await.unwrap();
    ending.await.unwrap();

    let hours = usage::show(&gate, &acme.client.client_id, 1).await.unwrap();
    assert_eq!(hours.iter().map(|hour| hour.issued).collect::<Vec<_>>(), [3]);
}

/// What the store takes on the disk once nothing has it open.
fn weighed(stage: &Stage) -> u64 {
    let files = std::fs::read_dir(stage.folder.path()).unwrap().map(Result::unwrap);
    let stored = files.filter(|file| file.file_name().to_string_lossy().starts_with("gatepost.db"));
    stored.map(|file| file.metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn a_hundred_thousand_tokens_leave_two_rows_and_no_larger_a_store() {
    let mut stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    let changes = stage.gate.store().head().await.unwrap();
    let mut sizes = Vec::new();
    for count in [100, 100_000] {
        for number in 0..count {
            ask(&stage.gate, &acme.client.client_id, acme.secret.expose()).await.unwrap();
            if number % 1_000 == 0 {
                usage::flush(&stage.gate).await.unwrap();
            }
        }
        usage::flush(&stage.gate).await.unwrap();
        stage.gate.close().await;
        sizes.push(weighed(&stage));
        stage.gate = stage.second_node().await;
    }

    assert_eq!(sizes[0], sizes[1]);
    let hours = usage::show(&stage.gate, &acme.client.client_id, 1).await.unwrap();
    assert_eq!(hours.iter().map(|hour| hour.issued).collect::<Vec<_>>(), [100_100]);
    assert_eq!(stage.gate.store().head().await.unwrap(), changes);
}

#[tokio::test]
async fn a_secret_sent_as_the_client_id_is_not_noted() {
    let stage = Stage::with_api().await;
    let acme = stage.client("Acme").await;
    assert!(ask(&stage.gate, acme.secret.expose(), &acme.client.client_id).await.is_err());

    let noted = stage.gate.journal().refusals();
    assert_eq!(noted[0].client, "(a secret)");
}
