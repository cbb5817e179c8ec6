//! This file is where SQLite's failures become the store's, in words that help to mend them.
//!
//! Codes: <https://www.sqlite.org/rescode.html>; the low byte is the kind, the rest says more.

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

use crate::StoreError;
use crate::conflicts::Violation;

const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

/// What the store says when SQLite could not do a thing.
pub(super) fn failure(error: Error) -> StoreError {
    match error {
        Error::Database(error) => refusal(error.as_ref()),
        Error::PoolTimedOut => StoreError::Unavailable(
            "all connections to it are in use; try again, or allow it more".to_owned(),
        ),
        Error::PoolClosed => StoreError::Unavailable("it has been closed".to_owned()),
        error @ (Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_)) => {
            StoreError::Unreadable(format!("{error}; restore a backup or upgrade Gatepost"))
        }
        error => StoreError::Unavailable(error.to_string()),
    }
}

/// What the store says when a rule of the schema may have refused a change: `words` says it for this change.
pub(super) fn refused(error: Error, words: impl FnOnce(&Violation) -> StoreError) -> StoreError {
    match error.as_database_error().and_then(violation) {
        Some(violation) => words(&violation),
        None => failure(error),
    }
}

/// Whether another process holds the file just now.
pub(super) fn is_busy(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| matches!(kind(error), BUSY | LOCKED))
}

/// Whether the failure is only that a reader may not clean up what a crash has left.
pub(super) fn needs_a_writer(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| matches!(kind(error), READONLY | CANTOPEN))
}

fn refusal(error: &dyn DatabaseError) -> StoreError {
    let message = error.message();
    match kind(error) {
        BUSY | LOCKED => StoreError::Unavailable(
            "another process keeps the file locked; look for a stuck command or backup".to_owned(),
        ),
        FULL => StoreError::Unavailable("the disk is full; free some space".to_owned()),
        READONLY => StoreError::Unavailable(format!(
            "the file can only be read ({message}); make it and its folder writable for this account"
        )),
        IOERR => {
            StoreError::Unavailable(format!("the disk failed ({message}); look at it and at its free space"))
        }
        CANTOPEN => StoreError::Unavailable(format!(
            "the file can't be opened ({message}); look whether it and its folder are there and writable"
        )),
        NOTADB => StoreError::Unreadable(
            "the file is no SQLite database; name another, or restore a backup".to_owned(),
        ),
        CORRUPT => StoreError::Unreadable(format!("the file is damaged ({message}); restore a backup")),
        _ => StoreError::Unreadable(format!("SQLite refused a statement: {message}")),
    }
}

fn kind(error: &dyn DatabaseError) -> u32 {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.map_or(0, |code| code & 0xFF)
}

/// SQLite names what is taken in its message: `UNIQUE constraint failed: scopes.api_id, scopes.name`, or for an index over
/// more than columns `UNIQUE constraint failed: index 'keys.signing'`.
fn violation(error: &dyn DatabaseError) -> Option<Violation> {
    match error.kind() {
        ErrorKind::UniqueViolation => {
            let place = error.message().rsplit([' ', ',']).next().unwrap_or_default();
            Some(Violation::Taken(place.trim_matches('\'').to_owned()))
        }
        ErrorKind::ForeignKeyViolation => Some(Violation::Reference),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, Executor, SqliteConnection};

    use super::*;

    async fn memory() -> SqliteConnection {
        SqliteConnectOptions::new().in_memory(true).connect().await.unwrap()
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_passes() {
        let mut connection = memory().await;
        connection.execute("CREATE TABLE t (b BLOB); PRAGMA max_page_count = 3").await.unwrap();
        let error = connection.execute("INSERT INTO t VALUES (zeroblob(100000))").await.unwrap_err();

        assert!(matches!(failure(error), StoreError::Unavailable(text) if text.contains("disk is full")));
    }

    #[tokio::test]
    async fn a_store_that_may_only_be_read_is_named_and_passes() {
        let mut connection = memory().await;
        connection.execute("CREATE TABLE t (b BLOB); PRAGMA query_only = ON").await.unwrap();
        let error = connection.execute("INSERT INTO t VALUES (1)").await.unwrap_err();

        assert!(matches!(failure(error), StoreError::Unavailable(text) if text.contains("writable")));
    }

    #[tokio::test]
    async fn what_is_taken_is_read_from_the_message() {
        let mut connection = memory().await;
        connection
            .execute("CREATE TABLE t (a, b, UNIQUE (a, b)); INSERT INTO t VALUES (1, 2)")
            .await
            .unwrap();
        let error = connection.execute("INSERT INTO t VALUES (1, 2)").await.unwrap_err();

        let said = refused(error, |violation| match violation {
            Violation::Taken(place) => StoreError::Conflict(place.clone()),
            Violation::Reference => StoreError::Conflict("reference".to_owned()),
        });
        assert!(matches!(said, StoreError::Conflict(place) if place == "t.b"));
    }
}
