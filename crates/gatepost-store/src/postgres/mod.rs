//! This folder is where state lives in PostgreSQL, shared by several servers; the same files as for SQLite.

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
mod open;
mod partners;
mod revocations;
mod usage;

use async_trait::async_trait;
use gatepost_core::change::{AuditedChange, Basis};
use sqlx::{PgPool, Row};

use crate::group_commit::GroupCommit;
use crate::{Counts, Soundness, Store, StoreError, rows};
use failure::{as_it_is, failure, refused, within};
pub(crate) use open::open;

/// State in a PostgreSQL database.
pub(crate) struct PostgresStore {
    pool: PgPool,
    assertions: GroupCommit,
}

#[async_trait]
impl Store for PostgresStore {
    async fn apply_on(&self, basis: Option<&Basis>, changes: &[AuditedChange]) -> Result<i64, StoreError> {
        apply::all(&self.pool, basis, changes).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let query = sqlx::query(
            "SELECT (SELECT count(*) FROM partners) AS partners, (SELECT count(*) FROM clients) AS clients",
        );
        rows::counts(&within(query.fetch_one(&self.pool), failure).await?)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        within(sqlx::query("SELECT 1 FROM audit LIMIT 1").fetch_optional(&self.pool), failure).await?;
        Ok(())
    }

    async fn engine(&self) -> Result<String, StoreError> {
        let row = within(sqlx::query("SHOW server_version").fetch_one(&self.pool), failure).await?;
        let version: String = row.try_get(0).map_err(failure)?;
        Ok(format!("PostgreSQL {version}"))
    }

    async fn soundness(&self) -> Result<Soundness, StoreError> {
        // The failures are null as long as the server keeps no checksums.
        let query = sqlx::query(
            "SELECT current_setting('data_checksums') AS kept, checksum_failures FROM pg_stat_database
                WHERE datname = current_database()",
        );
        let row = within(query.fetch_one(&self.pool), failure).await?;
        let (kept, failures): (String, Option<i64>) =
            (row.try_get("kept").map_err(failure)?, row.try_get("checksum_failures").map_err(failure)?);
        Ok(match (kept.as_str(), failures.unwrap_or(0)) {
            ("on", 0) => Soundness::Sound("its checksums have found nothing wrong".to_owned()),
            (_, 1..) => {
                Soundness::Damaged(format!("{} pages did not match their checksums", failures.unwrap_or(0)))
            }
            (_, _) => {
                Soundness::Unguarded("the PostgreSQL server keeps no checksums of its pages".to_owned())
            }
        })
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
