//! This file is where bookings are kept, each with the partner it belongs to.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{Error, Row as _};
use uuid::Uuid;

/// How many bookings a list has at most.
const LIST_LIMIT: i64 = 100;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS bookings (
        number     INTEGER PRIMARY KEY,
        id         TEXT NOT NULL UNIQUE,
        partner_id TEXT NOT NULL,
        reference  TEXT NOT NULL,
        starts     TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS bookings_of_partner ON bookings (partner_id, number);
";

/// A booking as a partner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Booking {
    /// Made by this API.
    pub id: Uuid,
    /// The partner's own name for it.
    pub reference: String,
    /// When it starts, in UTC.
    pub starts: String,
}

/// The bookings of all partners; a clone shares the database.
#[derive(Debug, Clone)]
pub struct Bookings(SqlitePool);

impl Bookings {
    /// In a SQLite file, which is made if it isn't there.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        Self::connect(SqlitePoolOptions::new().max_connections(4), options).await
    }

    /// In memory, gone when the last clone is dropped.
    pub async fn in_memory() -> Result<Self, OpenError> {
        // Each connection would have a database of its own, so there is one, and it is never closed for idleness.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
        Self::connect(pool, SqliteConnectOptions::new().in_memory(true)).await
    }

    async fn connect(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<Self, OpenError> {
        let pool = pool.connect_with(options).await.map_err(OpenError)?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await.map_err(OpenError)?;
        Ok(Self(pool))
    }

    pub(crate) async fn create(
        &self,
        partner: &str,
        reference: &str,
        starts: &str,
    ) -> Result<Booking, Error> {
        let booking =
            Booking { id: Uuid::new_v4(), reference: reference.to_owned(), starts: starts.to_owned() };
        sqlx::query("INSERT INTO bookings (id, partner_id, reference, starts) VALUES (?, ?, ?, ?)")
            .bind(booking.id.to_string())
            .bind(partner)
            .bind(reference)
            .bind(starts)
            .execute(&self.0)
            .await?;
        Ok(booking)
    }

    pub(crate) async fn list(&self, partner: &str) -> Result<Vec<Booking>, Error> {
        sqlx::query(
            "SELECT id, reference, starts FROM bookings WHERE partner_id = ? ORDER BY number DESC LIMIT ?",
        )
        .bind(partner)
        .bind(LIST_LIMIT)
        .try_map(|row| booking(&row))
        .fetch_all(&self.0)
        .await
    }

    /// False if the partner has no such booking, whoever else may have it.
    pub(crate) async fn remove(&self, partner: &str, id: Uuid) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM bookings WHERE partner_id = ? AND id = ?")
            .bind(partner)
            .bind(id.to_string())
            .execute(&self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn booking(row: &SqliteRow) -> Result<Booking, Error> {
    let id: String = row.try_get("id")?;
    Ok(Booking {
        id: id.parse().map_err(|error| Error::Decode(Box::new(error)))?,
        reference: row.try_get("reference")?,
        starts: row.try_get("starts")?,
    })
}

/// The database can't be opened.
#[derive(Debug)]
pub struct OpenError(Error);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bookings database can't be opened; check that its folder exists and can be written")
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
