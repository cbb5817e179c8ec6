//! This folder is where state lives in one SQLite file, for a server that is one process and the commands beside it.
//!
//! One connection writes, a few read; the write-ahead log lets them do it at the same time.
//! Every writing transaction begins as a writer (`BEGIN IMMEDIATE`): one that turned from reader to writer half-way
//! could be refused without a wait.

mod access;
mod apis;
mod apply;
mod assertions;
mod audit;
mod client_keys;
mod client_limits;
mod clients;
mod expiry;
mod failure;
mod keys;
mod listed;
mod open;
mod partners;
mod revocations;
mod usage;

use async_trait::async_trait;
use gatepost_core::change::{AuditedChange, Basis};
use sqlx::{Row, SqlitePool};

use crate::group_commit::GroupCommit;
use crate::{Counts, Soundness, Store, StoreError, rows};
use failure::{failure, refused};
pub(crate) use open::open;

/// State in a SQLite file.
pub(crate) struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    assertions: GroupCommit,
}

#[async_trait]
impl Store for SqliteStore {
    async fn apply_on(&self, basis: Option<&Basis>, changes: &[AuditedChange]) -> Result<i64, StoreError> {
        apply::all(&self.writer, basis, changes).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let query = sqlx::query(
            "SELECT (SELECT count(*) FROM partners) AS partners, (SELECT count(*) FROM clients) AS clients",
        );
        rows::counts(&query.fetch_one(&self.readers).await.map_err(failure)?)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM audit LIMIT 1").fetch_optional(&self.readers).await.map_err(failure)?;
        Ok(())
    }

    async fn engine(&self) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT sqlite_version()").fetch_one(&self.readers).await.map_err(failure)?;
        let version: String = row.try_get(0).map_err(failure)?;
        Ok(format!("SQLite {version}"))
    }

    async fn soundness(&self) -> Result<Soundness, StoreError> {
        let found = match sqlx::query("PRAGMA quick_check(3)").fetch_all(&self.readers).await.map_err(failure)
        {
            // Some damage keeps even the check from going on.
            Err(StoreError::Unreadable(why)) => return Ok(Soundness::Damaged(why)),
            found => found?,
        };
        let lines: Vec<String> =
            found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failure)?;
        if lines == ["ok"] {
            return Ok(Soundness::Sound("quick_check finds nothing wrong in the file".to_owned()));
        }
        Ok(Soundness::Damaged(lines.join("; ").replace('\n', " ")))
    }

    async fn close(&self) {
        self.readers.close().await;
        // The last connection to close moves the log into the file; it must be one that may write.
        self.writer.close().await;
    }
}
