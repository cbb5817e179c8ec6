//! This file is where signing keys and the master key's check are read from and written to SQLite.

use async_trait::async_trait;
use gatepost_core::keys::{KeyOwner, KeyState, Sealed, StoredKey};
use gatepost_core::time::Timestamp;
use gatepost_jose::KeyId;
use sqlx::SqliteConnection;

use super::{SqliteStore, failure, refused};
use crate::rows::Columns;
use crate::{Keys, StoreError, conflicts, rows};

#[async_trait]
impl Keys for SqliteStore {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let query = sqlx::query(
            "SELECT kid, api_id, algorithm, state, public, wrapping, sealed, created, signs_from, verifies_until
                FROM keys ORDER BY created, kid",
        );
        let found = query.fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::key).collect()
    }

    async fn master_key_check(&self) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let query = sqlx::query("SELECT pepper, tag FROM master_keys ORDER BY adopted DESC LIMIT 1");
        let row = query.fetch_optional(&self.readers).await.map_err(failure)?;
        row.map(|row| Ok((row.text("pepper")?, row.bytes("tag")?))).transpose()
    }
}

pub(super) async fn add(tx: &mut SqliteConnection, key: &StoredKey) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO keys (kid, api_id, algorithm, state, public, wrapping, sealed, created, signs_from, verifies_until)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .bind(key.kid.as_str())
    .bind(rows::owner(key.owner))
    .bind(key.algorithm.as_str())
    .bind(key.state.as_str())
    .bind(rows::as_json(&key.public))
    .bind(&key.sealed.wrapping)
    .bind(&key.sealed.bytes)
    .bind(key.created.micros())
    .bind(key.signs_from.micros())
    .bind(key.verifies_until.map(Timestamp::micros))
    .execute(tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::key(violation, key)))?;
    Ok(())
}

/// Where a key goes in its life, as the change says it.
pub(super) struct Move<'a> {
    pub(super) kid: &'a KeyId,
    pub(super) owner: KeyOwner,
    pub(super) from: KeyState,
    pub(super) to: KeyState,
    pub(super) verifies_until: Option<Timestamp>,
    pub(super) at: Timestamp,
}

pub(super) async fn go_on(tx: &mut SqliteConnection, step: Move<'_>) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE keys SET state = ?4, verifies_until = coalesce(?5, verifies_until),
            signs_from = CASE WHEN ?4 = 'signing' THEN ?6 ELSE signs_from END
            WHERE kid = ?1 AND coalesce(api_id, '') = coalesce(?2, '') AND state = ?3",
    )
    .bind(step.kid.as_str())
    .bind(rows::owner(step.owner))
    .bind(step.from.as_str())
    .bind(step.to.as_str())
    .bind(step.verifies_until.map(Timestamp::micros))
    .bind(step.at.micros())
    .execute(&mut *tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::key_moved(violation, step.kid, step.owner)))?;
    if done.rows_affected() == 1 {
        return Ok(());
    }

    let query = sqlx::query("SELECT 1 FROM keys WHERE kid = ?1 AND coalesce(api_id, '') = coalesce(?2, '')");
    let there = query.bind(step.kid.as_str()).bind(rows::owner(step.owner));
    let there = there.fetch_optional(tx).await.map_err(failure)?.is_some();
    Err(conflicts::key_missed(there, step.kid))
}

pub(super) async fn rewrap(
    tx: &mut SqliteConnection,
    kid: &KeyId,
    owner: KeyOwner,
    sealed: &Sealed,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE keys SET wrapping = ?3, sealed = ?4 WHERE kid = ?1 AND coalesce(api_id, '') = coalesce(?2, '')",
    )
    .bind(kid.as_str())
    .bind(rows::owner(owner))
    .bind(&sealed.wrapping)
    .bind(&sealed.bytes)
    .execute(tx)
    .await
    .map_err(failure)?;
    if done.rows_affected() == 0 {
        return Err(conflicts::key_missed(false, kid));
    }
    Ok(())
}

pub(super) async fn adopt_master_key(
    tx: &mut SqliteConnection,
    pepper: &str,
    check: &[u8],
    seq: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO master_keys (pepper, tag, adopted) VALUES (?1, ?2, ?3)")
        .bind(pepper)
        .bind(check)
        .bind(seq)
        .execute(tx)
        .await
        .map_err(|error| refused(error, |_| conflicts::pepper(pepper)))?;
    Ok(())
}
