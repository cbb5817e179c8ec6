//! This file is where signing keys and the master key's check are read from and written to PostgreSQL.

use async_trait::async_trait;
use gatepost_core::keys::{KeyOwner, StoredKey};
use sqlx::PgConnection;

use super::{PostgresStore, failure, refused, within};
use crate::rows::Columns;
use crate::{Keys, StoreError, conflicts, rows};

#[async_trait]
impl Keys for PostgresStore {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let query = sqlx::query(
            "SELECT kid, api_id, algorithm, state, public, wrapping, sealed, created, signs_from
                FROM keys ORDER BY created, kid",
        );
        let found = within(query.fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::key).collect()
    }

    async fn master_key_check(&self) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let query = sqlx::query("SELECT pepper, tag FROM master_keys ORDER BY adopted DESC LIMIT 1");
        let row = within(query.fetch_optional(&self.pool), failure).await?;
        row.map(|row| Ok((row.text("pepper")?, row.bytes("tag")?))).transpose()
    }
}

pub(super) async fn add(tx: &mut PgConnection, key: &StoredKey) -> Result<(), StoreError> {
    let api = match key.owner {
        KeyOwner::Api(api) => Some(api.0.to_string()),
        KeyOwner::Service => None,
    };
    sqlx::query(
        "INSERT INTO keys (kid, api_id, algorithm, state, public, wrapping, sealed, created, signs_from)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(key.kid.as_str())
    .bind(api)
    .bind(key.algorithm.as_str())
    .bind(key.state.as_str())
    .bind(rows::as_json(&key.public))
    .bind(&key.sealed.wrapping)
    .bind(&key.sealed.bytes)
    .bind(key.created.micros())
    .bind(key.signs_from.micros())
    .execute(tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::key(violation, key)))?;
    Ok(())
}

pub(super) async fn adopt_master_key(
    tx: &mut PgConnection,
    pepper: &str,
    check: &[u8],
    seq: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO master_keys (pepper, tag, adopted) VALUES ($1, $2, $3)")
        .bind(pepper)
        .bind(check)
        .bind(seq)
        .execute(tx)
        .await
        .map_err(|error| refused(error, |_| conflicts::pepper(pepper)))?;
    Ok(())
}
