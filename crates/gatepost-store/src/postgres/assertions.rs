//! This file is where the ids of client assertions are remembered in PostgreSQL.

use std::collections::BTreeSet;

use async_trait::async_trait;
use gatepost_core::clients::ClientId;
use gatepost_core::time::Timestamp;
use sqlx::PgPool;

use super::{PostgresStore, failure, within};
use crate::group_commit::{Batch, Key, Remember};
use crate::{Assertions, StoreError, rows};

#[async_trait]
impl Assertions for PostgresStore {
    async fn remember_once(
        &self,
        client: &ClientId,
        jti: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.assertions.once(client, jti, until).await
    }

    async fn forget_assertions(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // What another node is forgetting just now is left to it.
        let query = sqlx::query(
            "DELETE FROM assertions WHERE (client_id, jti) IN (
                SELECT client_id, jti FROM assertions WHERE until <= $1 ORDER BY until LIMIT $2
                FOR UPDATE SKIP LOCKED)",
        );
        let query = query.bind(now.micros()).bind(i64::from(limit));
        Ok(within(query.execute(&self.pool), failure).await?.rows_affected())
    }
}

/// Where the store's assertions are written.
pub(super) struct Writer(pub(super) PgPool);

#[async_trait]
impl Remember for Writer {
    async fn remember(&self, batch: &Batch) -> Result<BTreeSet<Key>, StoreError> {
        let clients: Vec<&str> = batch.keys().map(|(client, _)| client.as_str()).collect();
        let ids: Vec<&[u8]> = batch.keys().map(|(_, jti)| &jti[..]).collect();
        let ends: Vec<i64> = batch.values().map(|until| until.micros()).collect();
        // One statement is a transaction by itself.
        let query = sqlx::query(
            "INSERT INTO assertions (client_id, jti, until) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[])
                ON CONFLICT DO NOTHING RETURNING client_id, jti",
        );
        let query = query.bind(clients).bind(ids).bind(ends);
        let new = within(query.fetch_all(&self.0), failure).await?;
        new.iter().map(rows::assertion).collect()
    }
}
