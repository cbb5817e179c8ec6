//! This file is where it is tested that nothing that was acknowledged is lost when the process is killed.
//!
//! The test starts itself again as the process that writes and is killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gatepost_core::change::Change;
use gatepost_core::clients::ClientId;
use gatepost_store::{Location, Page};

use crate::chain::whole_chain;
use crate::engines::Home;
use crate::samples::{at, audited, client, partner};

const STORE: &str = "GATEPOST_TEST_WRITER_STORE";

const CHANGES: &str = "crash::acknowledged_changes_survive_kill_9";
const ASSERTIONS: &str = "crash::assertions_that_were_new_once_are_not_after_kill_9";

#[test]
fn acknowledged_changes_survive_kill_9() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(file) = std::env::var_os(STORE) {
        runtime.block_on(write_until_killed(PathBuf::from(file)));
        return;
    }

    let home = Home::sqlite();
    let mut acknowledged = Vec::new();
    // One store through all rounds: what a killed writer left is what the next one starts from.
    for patience in [1, 23, 2, 71, 9, 140] {
        acknowledged.extend(killed_after(CHANGES, patience, home.file()));
        runtime.block_on(all_there(&home, &acknowledged));
    }
}

#[test]
fn a_writer_killed_while_it_makes_the_store_leaves_one_that_opens() {
    type Stage = fn(&Path) -> bool;
    let stages: [Stage; 4] = [
        |file| file.exists(),
        |file| length(file) > 0,
        |file| length(&log_of(file)) > 0,
        |file| length(&log_of(file)) > 60_000,
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for stage in stages {
        let home = Home::sqlite();
        let mut writer = writer(CHANGES, home.file());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !stage(home.file()) {
            assert!(Instant::now() < deadline, "the writer makes no store");
            std::thread::yield_now();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();

        runtime.block_on(all_there(&home, &[]));
        runtime.block_on(async {
            let store = home.open().await;
            store.apply(&audited([Change::PartnerCreated(partner("acme"))])).await.unwrap();
        });
    }
}

#[test]
fn assertions_that_were_new_once_are_not_after_kill_9() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(file) = std::env::var_os(STORE) {
        runtime.block_on(remember_until_killed(PathBuf::from(file)));
        return;
    }

    let home = Home::sqlite();
    let mut acknowledged = Vec::new();
    for patience in [1, 40, 3, 300] {
        acknowledged.extend(killed_after(ASSERTIONS, patience, home.file()));
        runtime.block_on(all_remembered(&home, &acknowledged));
    }
}

fn log_of(file: &Path) -> PathBuf {
    file.with_extension("db-wal")
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |about| about.len())
}

/// The test again, as the process that writes.
fn writer(test: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(STORE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Four tasks that write a partner with its client in one batch each, and say so when it is done.
#[expect(clippy::print_stdout, reason = "the process that kills it reads this")]
async fn write_until_killed(file: PathBuf) {
    let store = gatepost_store::open(&Location::Sqlite(file), 2).await.unwrap();
    let round = store.head().await.unwrap();
    let writers = (0..4).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..100_000 {
                let name = format!("p{round}-{task}-{number}");
                let owner = partner(&name);
                let app = Change::ClientCreated { client: client(&name, &owner, &[]), secret: None };
                let seq = store.apply(&audited([Change::PartnerCreated(owner), app])).await.unwrap();
                println!("\nacknowledged {seq} {name}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// Eight tasks that remember one assertion after the other, and say so when it was new.
#[expect(clippy::print_stdout, reason = "the process that kills it reads this")]
async fn remember_until_killed(file: PathBuf) {
    let store = gatepost_store::open(&Location::Sqlite(file), 2).await.unwrap();
    let writers = (0..8).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..100_000 {
                let jti = format!("{}-{task}-{number}", std::process::id());
                assert!(store.remember_once(&machine(), &jti, at(1)).await.unwrap());
                println!("\nacknowledged 0 {jti}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

async fn all_remembered(home: &Home, acknowledged: &[(i64, String)]) {
    let store = home.open().await;
    for (_, jti) in acknowledged {
        let new = store.remember_once(&machine(), jti, at(1)).await.unwrap();
        assert!(!new, "{jti} was new, was told so, and is new again");
    }
    store.close().await;
}

fn machine() -> ClientId {
    ClientId::parse("machine").unwrap()
}

/// What the writer had acknowledged when it was killed, which was after `patience` acknowledgements.
fn killed_after(test: &str, patience: usize, file: &Path) -> Vec<(i64, String)> {
    let mut writer = writer(test, file);
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = lines.filter_map(|line| {
        let (seq, name) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        Some((seq.parse().ok()?, name.to_owned()))
    });

    let mut said = acknowledged.by_ref().take(patience).collect::<Vec<_>>();
    writer.kill().unwrap();
    said.extend(acknowledged);
    assert!(
        !writer.wait().unwrap().success() && said.len() >= patience,
        "the writer ended by itself: {said:?}"
    );
    said
}

async fn all_there(home: &Home, acknowledged: &[(i64, String)]) {
    let store = home.open().await;
    let lines = whole_chain(store.as_ref()).await;
    let partners = store.partners(Page::LONGEST).await.unwrap();
    let clients = store.clients(None, Page::LONGEST).await.unwrap();
    assert_eq!((partners.len(), clients.len()), (lines.len() / 2, lines.len() / 2), "no batch is half there");
    for (seq, name) in acknowledged {
        let line = &lines[usize::try_from(*seq).unwrap() - 1];
        assert_eq!((line.seq, line.action.as_str()), (*seq, "client.created"));
        assert!(
            partners.iter().any(|partner| partner.slug.as_str() == name),
            "{name} was acknowledged and is lost"
        );
        assert!(
            clients.iter().any(|client| client.name.as_str() == name),
            "{name} was acknowledged and is lost"
        );
    }
    store.close().await;
}
