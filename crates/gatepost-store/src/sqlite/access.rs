//! This file is where the secrets of APIs and their route tables are written to SQLite; they are read with the APIs.

use gatepost_core::apis::ApiId;
use gatepost_core::apis::routes::Route;
use gatepost_core::clients::{SecretId, StoredSecret};
use gatepost_core::time::Timestamp;
use sqlx::SqliteConnection;

use super::{failure, refused};
use crate::{StoreError, conflicts, rows};

pub(super) async fn add_secret(
    tx: &mut SqliteConnection,
    api: ApiId,
    secret: &StoredSecret,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_secrets (id, api_id, label, pepper, tag, created, expires, ended, not_before)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(secret.id.0.to_string())
    .bind(api.0.to_string())
    .bind(secret.label.as_ref().map(|label| label.as_str()))
    .bind(&secret.tag.pepper)
    .bind(&secret.tag.tag)
    .bind(secret.created.micros())
    .bind(secret.expires.map(Timestamp::micros))
    .bind(secret.ended.map(Timestamp::micros))
    .bind(secret.not_before.map(Timestamp::micros))
    .execute(tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::api_secret(violation, api, secret)))?;
    Ok(())
}

pub(super) async fn end_secret(
    tx: &mut SqliteConnection,
    api: ApiId,
    secret: SecretId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (id, api) = (secret.0.to_string(), api.0.to_string());
    let query =
        sqlx::query("UPDATE api_secrets SET ended = ?3 WHERE id = ?1 AND api_id = ?2 AND ended IS NULL");
    let query = query.bind(&id).bind(&api).bind(at.micros());
    if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
        return Ok(());
    }

    let there = sqlx::query("SELECT 1 FROM api_secrets WHERE id = ?1 AND api_id = ?2").bind(&id).bind(&api);
    let there = there.fetch_optional(tx).await.map_err(failure)?.is_some();
    Err(conflicts::missed(there, "secret", &id))
}

pub(super) async fn add_route(
    tx: &mut SqliteConnection,
    api: ApiId,
    route: &Route,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO routes (api_id, method, path, scopes) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (api_id, method, path) DO UPDATE SET scopes = excluded.scopes",
    )
    .bind(api.0.to_string())
    .bind(&route.method)
    .bind(&route.path)
    .bind(rows::as_json(&route.scopes))
    .execute(tx)
    .await
    .map_err(|error| refused(error, |_| conflicts::route(api)))?;
    Ok(())
}

pub(super) async fn remove_route(
    tx: &mut SqliteConnection,
    api: ApiId,
    method: &str,
    path: &str,
) -> Result<(), StoreError> {
    let query = sqlx::query("DELETE FROM routes WHERE api_id = ?1 AND method = ?2 AND path = ?3");
    let query = query.bind(api.0.to_string()).bind(method).bind(path);
    if query.execute(tx).await.map_err(failure)?.rows_affected() == 0 {
        return Err(conflicts::missed(false, "route", &format!("{method} {path}")));
    }
    Ok(())
}
