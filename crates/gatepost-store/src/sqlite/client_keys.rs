//! This file is where the public keys of clients are written to SQLite; they are read with their clients.

use gatepost_core::clients::{ClientId, ClientKey, ClientKeyId};
use sqlx::SqliteConnection;

use super::{failure, refused};
use crate::{StoreError, conflicts, rows};

pub(super) async fn add(
    tx: &mut SqliteConnection,
    client: &ClientId,
    key: &ClientKey,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO client_keys (id, client_id, material, created) VALUES (?1, ?2, ?3, ?4)")
        .bind(key.id.0.to_string())
        .bind(client.as_str())
        .bind(rows::as_json(&key.material))
        .bind(key.created.micros())
        .execute(tx)
        .await
        .map_err(|error| refused(error, |violation| conflicts::client_key(violation, client, key.id)))?;
    Ok(())
}

pub(super) async fn remove(
    tx: &mut SqliteConnection,
    client: &ClientId,
    key: ClientKeyId,
) -> Result<(), StoreError> {
    let id = key.0.to_string();
    let query = sqlx::query("DELETE FROM client_keys WHERE id = ?1 AND client_id = ?2");
    let done = query.bind(&id).bind(client.as_str()).execute(tx).await.map_err(failure)?;
    if done.rows_affected() == 0 {
        return Err(conflicts::missed(false, "client key", &id));
    }
    Ok(())
}
