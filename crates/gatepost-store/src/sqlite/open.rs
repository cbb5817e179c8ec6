//! This file is where a SQLite file is looked at, made if missing, brought up to date and opened.
//!
//! A file is only looked at until it is known to be ours: nothing is written into another program's database, nor into
//! a store of a newer version.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Error, Row, Sqlite, SqlitePool};

use super::SqliteStore;
use super::assertions::Writer;
use super::failure::{failure, is_busy, needs_a_writer};
use crate::StoreError;
use crate::group_commit::GroupCommit;
use crate::migrations::{SQLITE, altered, migrator, newer, newest};

/// "GATE": what the first step of the schema writes into the file's header.
const APPLICATION_ID: i64 = 1_195_463_749;

/// Older versions can lose committed changes when the write-ahead log is reset (<https://www.sqlite.org/wal.html>).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(60);

/// What a file says of itself.
enum Found {
    /// Nothing is in it yet.
    Empty,
    /// A store of ours with this step as its last.
    Ours(i64),
    /// Another program's database.
    Foreign,
}

/// Opens the file at `path`, made with mode 0600 if missing, with at most `connections` readers.
pub(crate) async fn open(path: &Path, connections: u32) -> Result<SqliteStore, StoreError> {
    let path = std::path::absolute(path).map_err(|error| unreachable_file(path, &error))?;
    create_if_missing(&path)?;
    let found = looked_at(&path).await.map_err(|error| at(&path, error))?;
    let step = match found {
        Found::Foreign => return Err(at(&path, foreign())),
        Found::Ours(step) if step > newest(SQLITE) => return Err(at(&path, newer(step, SQLITE))),
        Found::Ours(step) => step,
        Found::Empty => 0,
    };

    let writer = pool(1).idle_timeout(None).connect_lazy_with(writing(&path));
    let readers = pool(connections.max(1)).connect_lazy_with(writing(&path).pragma("query_only", "ON"));
    prepare(&writer, step).await.map_err(|error| at(&path, error))?;
    let assertions = GroupCommit::start(Writer(writer.clone()));
    Ok(SqliteStore { writer, readers, assertions })
}

fn pool(connections: u32) -> PoolOptions<Sqlite> {
    // The connections are to a file: there is nothing that a test before use could find lost.
    PoolOptions::new()
        .max_connections(connections)
        .idle_timeout(IDLE)
        .max_lifetime(None)
        .acquire_timeout(BUSY_TIMEOUT)
        .test_before_acquire(false)
}

/// Without a journal mode, for setting it writes into the file.
fn looking(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).foreign_keys(true)
}

fn writing(path: &Path) -> SqliteConnectOptions {
    // 2 MB of pages a connection: the whole server is to idle in 25 MB.
    looking(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-2000")
        .pragma("trusted_schema", "OFF")
}

/// Makes the file before SQLite does: SQLite would let everyone on the machine read it.
fn create_if_missing(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            // Left open on purpose: closing it would drop the locks that another connection of this process may hold
            // on the file by now (<https://www.sqlite.org/howtocorrupt.html>, 2.2). Once in the life of a store.
            std::mem::forget(file);
            Ok(())
        }
        Err(_) if path.is_dir() => {
            Err(at(path, StoreError::Unreadable("it is a folder; name a file".to_owned())))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unreachable_file(path, &error)),
    }
}

async fn looked_at(path: &Path) -> Result<Found, StoreError> {
    let seen = match look(looking(path).read_only(true)).await {
        // Only after a crash: a reader can't bring the file in order, but a writer can.
        Err(error) if needs_a_writer(&error) => look(looking(path)).await,
        seen => seen,
    };
    let (version, tables, application, step) = seen.map_err(failure)?;
    if !new_enough(&version) {
        return Err(too_old(&version));
    }
    Ok(match (application, tables) {
        (APPLICATION_ID, _) => Found::Ours(step),
        (0, 0) => Found::Empty,
        _ => Found::Foreign,
    })
}

/// SQLite's version, how many tables there are, whose file it is and its last step.
async fn look(options: SqliteConnectOptions) -> Result<(String, i64, i64, i64), Error> {
    let mut connection = options.connect().await?;
    let query = sqlx::query(
        "SELECT sqlite_version(), (SELECT count(*) FROM sqlite_schema),
            (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)",
    );
    let row = query.fetch_one(&mut connection).await?;
    let seen = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    connection.close().await?;
    Ok(seen)
}

/// Turns the write-ahead log on and brings the schema up to date.
async fn prepare(writer: &SqlitePool, step: i64) -> Result<(), StoreError> {
    let mut connection = first_connection(writer).await?;
    if step == newest(SQLITE) {
        return Ok(());
    }
    // One transaction around all steps: of two processes that come at once the second waits, and finds nothing to do.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
    migrator(SQLITE).run_direct(None, &mut *tx, false).await.map_err(unmigrated)?;
    tx.commit().await.map_err(failure)?;
    tracing::info!(from = step, to = newest(SQLITE), "store: schema brought up to date");
    Ok(())
}

/// SQLite does not wait for others when the log is turned on, so we do.
async fn first_connection(writer: &SqlitePool) -> Result<sqlx::pool::PoolConnection<Sqlite>, StoreError> {
    const PAUSE: Duration = Duration::from_millis(20);
    let attempts = BUSY_TIMEOUT.as_millis() / PAUSE.as_millis();
    for _ in 0..attempts {
        match writer.acquire().await {
            Err(error) if is_busy(&error) => tokio::time::sleep(PAUSE).await,
            acquired => return acquired.map_err(failure),
        }
    }
    writer.acquire().await.map_err(failure)
}

fn unmigrated(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failure(error),
        MigrateError::VersionMissing(step) => newer(step, SQLITE),
        MigrateError::VersionMismatch(step) => altered(step),
        error => StoreError::Unreadable(error.to_string()),
    }
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST_SQLITE
}

fn too_old(version: &str) -> StoreError {
    let (major, minor, patch) = OLDEST_SQLITE;
    StoreError::Unreadable(format!(
        "SQLite {version} is linked, but {major}.{minor}.{patch} or later is needed; build with the bundled SQLite"
    ))
}

fn foreign() -> StoreError {
    StoreError::Unreadable(
        "it is not a Gatepost store but another program's database; name another file".to_owned(),
    )
}

fn unreachable_file(path: &Path, error: &io::Error) -> StoreError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => format!("the folder {} is missing; make it first", folder(path).display()),
        io::ErrorKind::PermissionDenied => {
            "this account may not write there; run as the account that owns it, or change its owner"
                .to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system can only be read; mount it for writing".to_owned()
        }
        io::ErrorKind::StorageFull => "the disk is full; free some space".to_owned(),
        _ => error.to_string(),
    };
    at(path, StoreError::Unavailable(why))
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_path_buf()
}

/// The failure with the path in front.
fn at(path: &Path, error: StoreError) -> StoreError {
    let path = path.display();
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{path}: {why}")),
        StoreError::Unreadable(why) => StoreError::Unreadable(format!("{path}: {why}")),
        other @ (StoreError::Conflict(_) | StoreError::NotFound(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_can_lose_changes_is_refused_with_both_versions() {
        for (version, good) in [
            ("3.51.3", true),
            ("3.51.10", true),
            ("3.52.0", true),
            ("4.0", true),
            ("3.51.2", false),
            ("3.9.9", false),
        ] {
            assert_eq!(new_enough(version), good, "{version}");
        }
        let said = too_old("3.40.1").to_string();
        assert!(said.contains("3.40.1") && said.contains("3.51.3"), "{said}");
    }

    #[test]
    fn a_path_out_of_reach_says_what_to_do() {
        let path = Path::new("/srv/gatepost/gatepost.db");
        for (kind, words) in [
            (io::ErrorKind::NotFound, "folder /srv/gatepost is missing"),
            (io::ErrorKind::PermissionDenied, "account"),
            (io::ErrorKind::ReadOnlyFilesystem, "mount"),
            (io::ErrorKind::StorageFull, "free some space"),
        ] {
            let said = unreachable_file(path, &kind.into()).to_string();
            assert!(said.contains(words) && said.contains("/srv/gatepost/gatepost.db"), "{said}");
        }
    }
}
