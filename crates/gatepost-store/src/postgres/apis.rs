//! This file is where APIs and their scopes are read from and written to PostgreSQL.

use async_trait::async_trait;
use gatepost_core::apis::{Api, ApiAccess, ApiId, ApiScope, ApiWithScopes};
use gatepost_core::clients::StoredSecret;
use gatepost_core::scope::Scope;
use sqlx::PgConnection;

use super::{PostgresStore, failure, refused, within};
use crate::{Apis, StoreError, conflicts, rows};

#[async_trait]
impl Apis for PostgresStore {
    async fn apis(&self) -> Result<Vec<ApiWithScopes>, StoreError> {
        let query = sqlx::query(
            "SELECT a.id, a.name, a.audience, a.profile, a.algorithm, a.rotate_every, a.created, a.version,
                s.name AS scope_name, s.description AS scope_description
                FROM apis a LEFT JOIN scopes s ON s.api_id = a.id ORDER BY a.name, s.name",
        );
        let found = within(query.fetch_all(&self.pool), failure).await?;
        rows::apis(&found)
    }

    async fn api_access(&self) -> Result<Vec<ApiAccess>, StoreError> {
        let query = sqlx::query(
            "SELECT a.id AS api_id, s.id AS secret_id, s.label AS secret_label, s.pepper AS secret_pepper,
                s.tag AS secret_tag, s.created AS secret_created, s.not_before AS secret_not_before,
                s.expires AS secret_expires, s.ended AS secret_ended,
                (SELECT coalesce(json_agg(json_build_object('method', r.method, 'path', r.path, 'scopes', r.scopes::json)
                    ORDER BY r.path, r.method), '[]')::text FROM routes r WHERE r.api_id = a.id) AS routes
                FROM apis a LEFT JOIN api_secrets s ON s.api_id = a.id AND s.ended IS NULL
                ORDER BY a.name, s.created, s.id",
        );
        let found = within(query.fetch_all(&self.pool), failure).await?;
        rows::api_access(&found)
    }

    async fn api_secrets(&self, api: ApiId) -> Result<Vec<StoredSecret>, StoreError> {
        let query = sqlx::query(
            "SELECT id AS secret_id, label AS secret_label, pepper AS secret_pepper, tag AS secret_tag,
                created AS secret_created, not_before AS secret_not_before, expires AS secret_expires,
                ended AS secret_ended
                FROM api_secrets WHERE api_id = $1 ORDER BY created, id",
        );
        let found = within(query.bind(api.0.to_string()).fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::secret).collect()
    }
}

pub(super) async fn create(tx: &mut PgConnection, api: &Api) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO apis (id, name, audience, profile, algorithm, rotate_every, created, version)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(api.id.0.to_string())
    .bind(api.name.as_str())
    .bind(api.audience.as_str())
    .bind(rows::as_json(&api.profile))
    .bind(api.algorithm.as_str())
    .bind(rows::turns(api.turns))
    .bind(api.created.micros())
    .bind(api.version)
    .execute(tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::api(violation, api)))?;
    Ok(())
}

pub(super) async fn update(tx: &mut PgConnection, api: &Api) -> Result<(), StoreError> {
    let id = api.id.0.to_string();
    let done = sqlx::query(
        "UPDATE apis SET name = $3, audience = $4, profile = $5, algorithm = $6, rotate_every = $7,
            version = version + 1
            WHERE id = $1 AND version = $2",
    )
    .bind(&id)
    .bind(api.version)
    .bind(api.name.as_str())
    .bind(api.audience.as_str())
    .bind(rows::as_json(&api.profile))
    .bind(api.algorithm.as_str())
    .bind(rows::turns(api.turns))
    .execute(&mut *tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::api(violation, api)))?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(missed(tx, api.id).await)
}

/// Counts the API's version on, if it is still that one: what was decided on it holds.
pub(super) async fn move_on(tx: &mut PgConnection, id: ApiId, version: i64) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE apis SET version = version + 1 WHERE id = $1 AND version = $2");
    let query = query.bind(id.0.to_string()).bind(version);
    if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
        return Ok(());
    }
    Err(missed(tx, id).await)
}

async fn missed(tx: &mut PgConnection, id: ApiId) -> StoreError {
    let id = id.0.to_string();
    let query = sqlx::query("SELECT 1 FROM apis WHERE id = $1").bind(&id);
    match query.fetch_optional(tx).await {
        Ok(row) => conflicts::missed(row.is_some(), "API", &id),
        Err(error) => failure(error),
    }
}

pub(super) async fn delete(tx: &mut PgConnection, id: ApiId) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM apis WHERE id = $1")
        .bind(id.0.to_string())
        .execute(tx)
        .await
        .map_err(|error| refused(error, |_| conflicts::api_in_use(id)))?;
    if done.rows_affected() == 0 {
        return Err(conflicts::missed(false, "API", &id.0.to_string()));
    }
    Ok(())
}

pub(super) async fn create_scope(
    tx: &mut PgConnection,
    api: ApiId,
    scope: &ApiScope,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO scopes (api_id, name, description) VALUES ($1, $2, $3)")
        .bind(api.0.to_string())
        .bind(scope.name.as_str())
        .bind(&scope.description)
        .execute(tx)
        .await
        .map_err(|error| refused(error, |violation| conflicts::scope(violation, api, scope)))?;
    Ok(())
}

pub(super) async fn delete_scope(tx: &mut PgConnection, api: ApiId, scope: &Scope) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM scopes WHERE api_id = $1 AND name = $2")
        .bind(api.0.to_string())
        .bind(scope.as_str())
        .execute(tx)
        .await
        .map_err(failure)?;
    if done.rows_affected() == 0 {
        return Err(conflicts::missed(false, "scope", scope.as_str()));
    }
    Ok(())
}
