//! This file is where it is tested what a SQLite store makes of the file it is given.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_core::change::Change;
use gatepost_store::{Location, Page, Soundness, StoreError};
use sqlx::{Connection, Executor};

use crate::engines::{Home, raw_sqlite};
use crate::samples::{acme, audited, partner};

async fn refusal(path: &Path) -> StoreError {
    let opened = gatepost_store::open(&Location::Sqlite(path.to_path_buf()), 2).await;
    opened.err().unwrap_or_else(|| panic!("{} was opened", path.display()))
}

/// The refusal says `words` and the path, and the file is as it was.
async fn refused_and_untouched(path: &Path, words: &str) {
    let before = fs::read(path).unwrap();
    let refusal = refusal(path).await;
    let StoreError::Unreadable(text) = &refusal else { panic!("{refusal:?}") };
    assert!(text.contains(words) && text.contains(path.to_str().unwrap()), "{text}");
    assert!(fs::read(path).unwrap() == before, "{} was written to", path.display());
}

#[tokio::test]
async fn files_of_other_programs_are_refused_and_untouched() {
    let home = Home::sqlite();
    let text = home.folder().join("notes.txt");
    fs::write(&text, "dear diary, ".repeat(500)).unwrap();
    refused_and_untouched(&text, "no SQLite database").await;

    let other = home.folder().join("other.db");
    let mut connection = raw_sqlite(&other).await;
    connection.execute("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('jo')").await.unwrap();
    connection.close().await.unwrap();
    refused_and_untouched(&other, "not a Gatepost store").await;

    let marked = home.folder().join("marked.db");
    let mut connection = raw_sqlite(&marked).await;
    connection.execute("PRAGMA application_id = 7").await.unwrap();
    connection.close().await.unwrap();
    refused_and_untouched(&marked, "not a Gatepost store").await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_untouched() {
    let home = Home::sqlite();
    home.open().await.close().await;
    home.meddle("PRAGMA user_version = 1000").await;

    refused_and_untouched(home.file(), "newer version").await;
}

#[tokio::test]
async fn a_folder_and_a_place_without_a_folder_are_named() {
    let home = Home::sqlite();
    let folder = refusal(home.folder()).await;
    assert!(
        matches!(&folder, StoreError::Unreadable(text) if text.contains("it is a folder; name a file")),
        "{folder}"
    );

    let missing = home.folder().join("not").join("there.db");
    let missing = refusal(&missing).await;
    assert!(matches!(&missing, StoreError::Unavailable(text) if text.contains("make it first")), "{missing}");
}

#[tokio::test]
async fn a_new_file_that_someone_else_is_making_is_waited_for() {
    let home = Home::sqlite();
    fs::write(home.file(), "").unwrap();
    let mut maker = raw_sqlite(home.file()).await;
    maker.execute("BEGIN IMMEDIATE").await.unwrap();

    let location = home.location.clone();
    let mut opening = tokio::spawn(async move { gatepost_store::open(&location, 2).await.map(|_| ()) });
    let early = tokio::time::timeout(Duration::from_millis(300), &mut opening).await;
    assert!(early.is_err(), "it was not waited for: {early:?}");
    maker.close().await.unwrap();
    opening.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.apply(&acme().3).await.unwrap();
    store.close().await;
    let mut bytes = fs::read(home.file()).unwrap();
    bytes[4096..].fill(0xAB);
    fs::write(home.file(), bytes).unwrap();

    refused_and_untouched(home.file(), "the file is damaged").await;
}

#[tokio::test]
async fn a_row_that_was_changed_by_hand_to_nonsense_shows() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.apply(&acme().3).await.unwrap();
    home.meddle("UPDATE partners SET status = 'paused'").await;

    let refusal = store.partners(Page::LONGEST).await.unwrap_err();
    assert!(matches!(&refusal, StoreError::Unreadable(text) if text.contains("`status`")), "{refusal}");
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.apply(&audited([Change::PartnerCreated(partner("acme"))])).await.unwrap();
    store.partners(Page::LONGEST).await.unwrap();

    let files =
        fs::read_dir(home.folder()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>();
    assert!(files.len() >= 2, "the file and its log are there: {files:?}");
    for file in files {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn every_connection_keeps_its_promises_about_the_disk() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.apply(&acme().3).await.unwrap();

    let mut beside = raw_sqlite(home.file()).await;
    let mode: (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&mut beside).await.unwrap();
    assert_eq!(mode.0, "wal");
    let strict: (i64, i64) = sqlx::query_as(
        "SELECT count(*), total(strict) = count(*) FROM pragma_table_list
            WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'gatepost_migrations'",
    )
    .fetch_one(&mut beside)
    .await
    .unwrap();
    assert!(strict.0 >= 16 && strict.1 == 1, "{strict:?}");
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.apply(&acme().3).await.unwrap();
    store.partners(Page::LONGEST).await.unwrap();
    store.close().await;

    let files = fs::read_dir(home.folder()).unwrap().count();
    assert_eq!(files, 1, "the log is moved into the file when the last connection closes");
}

#[tokio::test]
async fn a_file_with_a_page_that_was_overwritten_is_damaged_and_a_whole_one_is_sound() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.apply(&acme().3).await.unwrap();
    let partners = (0..200).map(|number| Change::PartnerCreated(partner(&format!("p{number}"))));
    store.apply(&audited(partners)).await.unwrap();
    assert!(matches!(store.soundness().await.unwrap(), Soundness::Sound(_)));
    store.close().await;

    let mut bytes = fs::read(home.file()).unwrap();
    let last = bytes.len() - 4_096;
    bytes[last..last + 64].fill(0xff);
    fs::write(home.file(), bytes).unwrap();
    let found = home.open().await.soundness().await.unwrap();
    let Soundness::Damaged(what) = &found else { panic!("{found:?}") };
    assert!(!what.is_empty() && !what.contains('\n'), "{what}");
}
