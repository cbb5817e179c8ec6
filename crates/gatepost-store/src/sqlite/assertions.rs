//! This file is where the ids of client assertions are remembered in SQLite.

use std::collections::BTreeSet;

use async_trait::async_trait;
use gatepost_core::clients::ClientId;
use gatepost_core::time::Timestamp;
use sqlx::SqlitePool;

use super::{SqliteStore, failure};
use crate::group_commit::{Batch, Key, Remember};
use crate::{Assertions, StoreError};

#[async_trait]
impl Assertions for SqliteStore {
    async fn remember_once(
        &self,
        client: &ClientId,
        jti: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.assertions.once(client, jti, until).await
    }

    async fn forget_assertions(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "DELETE FROM assertions WHERE (client_id, jti) IN (
                SELECT client_id, jti FROM assertions WHERE until <= ?1 ORDER BY until LIMIT ?2)",
        );
        let query = query.bind(now.micros()).bind(i64::from(limit));
        Ok(query.execute(&self.writer).await.map_err(failure)?.rows_affected())
    }
}

/// Where the store's assertions are written.
pub(super) struct Writer(pub(super) SqlitePool);

#[async_trait]
impl Remember for Writer {
    async fn remember(&self, batch: &Batch) -> Result<BTreeSet<Key>, StoreError> {
        let mut new = BTreeSet::new();
        let mut tx = self.0.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        for (key, until) in batch {
            let query = sqlx::query(
                "INSERT INTO assertions (client_id, jti, until) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            );
            let query = query.bind(key.0.as_str()).bind(&key.1[..]).bind(until.micros());
            if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
                new.insert(key.clone());
            }
        }
        tx.commit().await.map_err(failure)?;
        Ok(new)
    }
}
