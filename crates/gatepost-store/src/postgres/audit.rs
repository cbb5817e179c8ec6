//! This file is where audit lines are read from and written to PostgreSQL.

use async_trait::async_trait;
use gatepost_core::audit::{AuditLine, FIRST};
use sqlx::PgConnection;

use super::{PostgresStore, failure, within};
use crate::rows::Columns;
use crate::{Audit, News, StoreError, rows};

#[async_trait]
impl Audit for PostgresStore {
    async fn head(&self) -> Result<i64, StoreError> {
        let query = sqlx::query("SELECT coalesce(max(seq), 0) AS seq FROM audit");
        within(query.fetch_one(&self.pool), failure).await?.number("seq")
    }

    async fn news(&self, seq: i64, limit: u32) -> Result<Vec<News>, StoreError> {
        let query = sqlx::query("SELECT seq, noun, id FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        let query = query.bind(seq).bind(i64::from(limit));
        let found = within(query.fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::news).collect()
    }

    async fn audit_lines(&self, seq: i64, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, at, actor, action, noun, id, details, previous, hash
                FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
        );
        let query = query.bind(seq).bind(i64::from(limit));
        let found = within(query.fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::audit_line).collect()
    }
}

/// The last line's number and hash, held against all other appliers until the transaction ends.
pub(super) async fn last(tx: &mut PgConnection) -> Result<(i64, [u8; 32]), StoreError> {
    // Its own statement: the next one then sees what the one before us has committed.
    let lock = sqlx::query("SELECT pg_advisory_xact_lock('audit'::regclass::oid::bigint)");
    lock.execute(&mut *tx).await.map_err(failure)?;
    let query = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
    match query.fetch_optional(tx).await.map_err(failure)? {
        Some(row) => Ok((row.number("seq")?, rows::hash(&row, "hash")?)),
        None => Ok((0, FIRST)),
    }
}

pub(super) async fn append(tx: &mut PgConnection, line: &AuditLine) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (seq, at, actor, action, noun, id, details, previous, hash)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(line.seq)
    .bind(line.at)
    .bind(&line.actor)
    .bind(&line.action)
    .bind(&line.noun)
    .bind(&line.id)
    .bind(&line.details)
    .bind(&line.previous[..])
    .bind(&line.hash[..])
    .execute(tx)
    .await
    .map_err(failure)?;
    Ok(())
}
