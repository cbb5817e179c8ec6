//! This file is where revocations are read from and written to PostgreSQL.

use async_trait::async_trait;
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::revoke::Revocation;
use sqlx::PgConnection;

use super::{PostgresStore, failure, within};
use crate::{Revocations, StoreError, rows};

#[async_trait]
impl Revocations for PostgresStore {
    async fn revocations(
        &self,
        seq: i64,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(i64, Revocation)>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, kind, id, apis, at, until, client_id FROM revocations
                WHERE seq > $1 AND until > $2 ORDER BY seq LIMIT $3",
        );
        let query = query.bind(seq).bind(now.micros()).bind(i64::from(limit));
        let found = within(query.fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::revocation).collect()
    }

    async fn forget_revocations(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // What another node is forgetting just now is left to it.
        let query = sqlx::query(
            "DELETE FROM revocations WHERE seq IN (
                SELECT seq FROM revocations WHERE until <= $1 ORDER BY until LIMIT $2
                FOR UPDATE SKIP LOCKED)",
        );
        let query = query.bind(now.micros()).bind(i64::from(limit));
        Ok(within(query.execute(&self.pool), failure).await?.rows_affected())
    }
}

pub(super) async fn add(tx: &mut PgConnection, seq: i64, revocation: &Revocation) -> Result<(), StoreError> {
    let (kind, id) = rows::revoked(&revocation.what);
    let client = revocation.client.as_ref().map(ToString::to_string);
    let query = sqlx::query(
        "INSERT INTO revocations (seq, kind, id, apis, at, until, client_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    query
        .bind(seq)
        .bind(kind)
        .bind(id)
        .bind(rows::as_json(&revocation.apis))
        .bind(revocation.at.micros())
        .bind(revocation.until.micros())
        .bind(client)
        .execute(tx)
        .await
        .map_err(failure)?;
    Ok(())
}
