//! This file is where PostgreSQL's failures become the store's, in words that help to mend them.
//!
//! Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>; the first two characters are the class.
//! Addresses may hold passwords, so no text here comes from an address.

use std::time::Duration;

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

use crate::StoreError;
use crate::conflicts::Violation;

/// How long an answer may take, with the wait for a connection: more than the server itself allows a statement.
const ANSWER: Duration = Duration::from_secs(5);

/// Waits for `work`, but not for ever: a server that was cut off says nothing, not even that it is gone.
pub(super) async fn within<T, E>(
    work: impl Future<Output = Result<T, E>>,
    words: impl FnOnce(E) -> StoreError,
) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER, work).await {
        Ok(done) => done.map_err(words),
        Err(_) => Err(StoreError::Unavailable(
            "PostgreSQL did not answer in 5 seconds; look whether it runs and can be reached".to_owned(),
        )),
    }
}

/// For work whose failures are in the store's words already.
pub(super) fn as_it_is(error: StoreError) -> StoreError {
    error
}

/// What the store says when PostgreSQL could not do a thing.
pub(super) fn failure(error: Error) -> StoreError {
    match error {
        Error::Database(error) => refusal(error.as_ref()),
        Error::PoolTimedOut => StoreError::Unavailable(
            "PostgreSQL gave no connection in 3 seconds; look whether it runs and has connections left"
                .to_owned(),
        ),
        Error::PoolClosed => StoreError::Unavailable("it has been closed".to_owned()),
        Error::Io(error) => StoreError::Unavailable(format!(
            "PostgreSQL can't be reached ({error}); look whether it runs, and its address"
        )),
        Error::Tls(error) => StoreError::Unavailable(format!(
            "no TLS with PostgreSQL ({error}); look at sslmode and sslrootcert in its address"
        )),
        Error::Configuration(_) => {
            StoreError::Unreadable("its address is none; write postgres://user@host:5432/database".to_owned())
        }
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

fn refusal(error: &dyn DatabaseError) -> StoreError {
    let (code, message) = (error.code().unwrap_or_default(), error.message());
    match (code.get(..2).unwrap_or_default(), code.as_ref()) {
        (_, "3D000") => StoreError::Unavailable(format!("PostgreSQL says: {message}; make it with createdb")),
        (_, "42501") => {
            StoreError::Unreadable(format!("PostgreSQL says: {message}; grant it to the account"))
        }
        (_, "42P07") => StoreError::Unreadable(format!(
            "the database is used by another program (PostgreSQL says: {message}); give Gatepost its own"
        )),
        (_, "25006") => {
            StoreError::Unavailable("PostgreSQL is a standby; name the primary server".to_owned())
        }
        (_, "57014") => {
            StoreError::Unavailable("PostgreSQL took longer than 3 seconds; look at its load".to_owned())
        }
        ("28", _) => {
            StoreError::Unavailable(format!("PostgreSQL says: {message}; look at user and password"))
        }
        ("53", _) => StoreError::Unavailable(format!("PostgreSQL is short of means: {message}")),
        ("08" | "40" | "55" | "57", _) => {
            StoreError::Unavailable(format!("PostgreSQL says: {message}; try again"))
        }
        _ => StoreError::Unreadable(format!("PostgreSQL refused a statement: {message}")),
    }
}

/// The schema names its constraints after what they protect: `table.column`.
fn violation(error: &dyn DatabaseError) -> Option<Violation> {
    match error.kind() {
        ErrorKind::UniqueViolation => {
            Some(Violation::Taken(error.constraint().unwrap_or_default().to_owned()))
        }
        ErrorKind::ForeignKeyViolation => Some(Violation::Reference),
        _ => None,
    }
}
