//! This file is where clients and their secrets are read from and written to SQLite.

use async_trait::async_trait;
use gatepost_core::clients::{Client, ClientId, ClientRecord, Method, SecretId, StoredSecret};
use gatepost_core::partners::PartnerId;
use gatepost_core::secret::SecretTag;
use gatepost_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Row, Sqlite, SqliteConnection};

use super::listed::{self, listed};
use super::{SqliteStore, failure, refused};
use crate::{Clients, Page, StoreError, conflicts, rows};

/// Clients with their APIs, of which most have one: an order takes a table of its own, which costs two microseconds, and
/// the place in it a look beside the index. `$more` and `$rest` are the further columns and what follows the table's name.
macro_rules! select {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT c.id, c.partner_id, c.user_id, c.name, c.is_test, c.scopes, c.default_scopes, c.ungranted_scope,
                c.lifetime, c.allow, c.auth_method, c.grant_types, c.status, c.expires, c.created, c.version,
                (SELECT CASE count(*) WHEN 1 THEN json_array(min(api_id)) ELSE (
                    SELECT json_group_array(a.api_id ORDER BY a.position) FROM client_apis a WHERE a.client_id = c.id)
                    END FROM client_apis WHERE client_id = c.id) || '' AS apis",
            $more,
            " FROM clients c ",
            $rest
        )
    };
}

/// Clients with all that authentication needs, by their ids.
const RECORDS: (&str, &[&str]) = listed!(
    [
        id, partner_id, user_id, name, is_test, scopes, default_scopes, ungranted_scope, lifetime, allow, auth_method,
        grant_types, status, expires, created, version, apis, partner_status, partner_expires, secret_id, secret_label,
        secret_pepper, secret_tag, secret_created, secret_not_before, secret_expires, secret_ended, keys, limits,
    ] of select!(
        ", p.status AS partner_status, p.expires AS partner_expires, s.id AS secret_id, s.label AS secret_label,
            s.pepper AS secret_pepper, hex(s.tag) AS secret_tag, s.created AS secret_created,
            s.not_before AS secret_not_before, s.expires AS secret_expires, s.ended AS secret_ended,
            CASE WHEN EXISTS (SELECT 1 FROM client_keys WHERE client_id = c.id) THEN (
                SELECT json_group_array(json_object('id', k.id, 'material', json(k.material), 'created', k.created)
                    ORDER BY k.created, k.id) FROM client_keys k WHERE k.client_id = c.id) || ''
                ELSE '[]' END AS keys,
            (SELECT l.limits FROM client_limits l WHERE l.client_id = c.id) AS limits",
        "JOIN partners p ON p.id = c.partner_id
            LEFT JOIN secrets s ON s.client_id = c.id AND s.ended IS NULL
            WHERE c.id IN (SELECT value FROM json_each(?1)) ORDER BY c.id, s.created, s.id"
    )
);

#[async_trait]
impl Clients for SqliteStore {
    async fn client_records(&self, ids: &[ClientId]) -> Result<Vec<ClientRecord>, StoreError> {
        let query = sqlx::query(RECORDS.0).bind(rows::as_json(&ids));
        let found = query.fetch_one(&self.readers).await.map_err(failure)?;
        let list: String = found.try_get("list").map_err(failure)?;
        rows::client_records(&listed::rows(&list, RECORDS.1)?)
    }

    async fn clients(&self, partner: Option<PartnerId>, page: Page) -> Result<Vec<Client>, StoreError> {
        let query = match partner {
            Some(partner) => sqlx::query(select!(
                "",
                "WHERE c.partner_id = ?3 ORDER BY c.created, c.id LIMIT ?1 OFFSET ?2"
            ))
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .bind(partner.0.to_string()),
            None => sqlx::query(select!("", "ORDER BY c.created, c.id LIMIT ?1 OFFSET ?2"))
                .bind(i64::from(page.limit))
                .bind(i64::from(page.offset)),
        };
        let found = query.fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::client).collect()
    }

    async fn client_ids(&self, after: Option<&ClientId>, limit: u32) -> Result<Vec<ClientId>, StoreError> {
        // One row for all: each row has a price of its own. No id holds a blank.
        let query = sqlx::query(
            "SELECT coalesce(group_concat(id, ' ' ORDER BY id), '') AS ids
                FROM (SELECT id FROM clients WHERE id > ?1 ORDER BY id LIMIT ?2)",
        );
        let query = query.bind(after.map_or("", ClientId::as_str)).bind(i64::from(limit));
        rows::client_ids(&query.fetch_one(&self.readers).await.map_err(failure)?)
    }

    async fn secrets(&self, client: &ClientId) -> Result<Vec<StoredSecret>, StoreError> {
        let query = sqlx::query(
            "SELECT id AS secret_id, label AS secret_label, pepper AS secret_pepper, tag AS secret_tag,
                created AS secret_created, not_before AS secret_not_before, expires AS secret_expires,
                ended AS secret_ended
                FROM secrets WHERE client_id = ?1 ORDER BY created, id",
        );
        let found = query.bind(client.as_str()).fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::secret).collect()
    }
}

pub(super) async fn create(
    tx: &mut SqliteConnection,
    client: &Client,
    secret: Option<&StoredSecret>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO clients (id, version, partner_id, user_id, name, is_test, scopes, default_scopes, ungranted_scope,
            lifetime, allow, auth_method, grant_types, status, expires, created)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    );
    bound(query, client)
        .bind(client.created.micros())
        .execute(&mut *tx)
        .await
        .map_err(|error| refused(error, |violation| conflicts::client(violation, client)))?;

    add_apis(tx, client).await?;
    match secret {
        Some(secret) => add_secret(tx, &client.id, secret).await,
        None => Ok(()),
    }
}

pub(super) async fn update(tx: &mut SqliteConnection, client: &Client) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE clients SET version = version + 1, partner_id = ?3, user_id = ?4, name = ?5, is_test = ?6, scopes = ?7,
            default_scopes = ?8, ungranted_scope = ?9, lifetime = ?10, allow = ?11, auth_method = ?12,
            grant_types = ?13, status = ?14, expires = ?15
            WHERE id = ?1 AND version = ?2",
    );
    let done = bound(query, client).execute(&mut *tx).await;
    let done = done.map_err(|error| refused(error, |violation| conflicts::client(violation, client)))?;
    if done.rows_affected() == 0 {
        return Err(missed(tx, &client.id).await);
    }

    let clear = sqlx::query("DELETE FROM client_apis WHERE client_id = ?1").bind(client.id.as_str());
    clear.execute(&mut *tx).await.map_err(failure)?;
    add_apis(tx, client).await
}

/// Counts the client's version on, if it is still that one: what was decided on it holds.
pub(super) async fn move_on(
    tx: &mut SqliteConnection,
    id: &ClientId,
    version: i64,
) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE clients SET version = version + 1 WHERE id = ?1 AND version = ?2");
    let query = query.bind(id.as_str()).bind(version);
    if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
        return Ok(());
    }
    Err(missed(tx, id).await)
}

async fn missed(tx: &mut SqliteConnection, id: &ClientId) -> StoreError {
    let query = sqlx::query("SELECT 1 FROM clients WHERE id = ?1").bind(id.as_str());
    match query.fetch_optional(tx).await {
        Ok(row) => conflicts::missed(row.is_some(), "client", id.as_str()),
        Err(error) => failure(error),
    }
}

pub(super) async fn delete(tx: &mut SqliteConnection, id: &ClientId) -> Result<(), StoreError> {
    let query = sqlx::query("DELETE FROM clients WHERE id = ?1").bind(id.as_str());
    let done = query.execute(tx).await.map_err(failure)?;
    if done.rows_affected() == 0 {
        return Err(conflicts::missed(false, "client", id.as_str()));
    }
    Ok(())
}

pub(super) async fn add_secret(
    tx: &mut SqliteConnection,
    client: &ClientId,
    secret: &StoredSecret,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO secrets (id, client_id, label, pepper, tag, created, expires, ended, not_before)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(secret.id.0.to_string())
    .bind(client.as_str())
    .bind(secret.label.as_ref().map(|label| label.as_str()))
    .bind(&secret.tag.pepper)
    .bind(&secret.tag.tag)
    .bind(secret.created.micros())
    .bind(secret.expires.map(Timestamp::micros))
    .bind(secret.ended.map(Timestamp::micros))
    .bind(secret.not_before.map(Timestamp::micros))
    .execute(tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::secret(violation, client, secret)))?;
    Ok(())
}

pub(super) async fn end_secret(
    tx: &mut SqliteConnection,
    client: &ClientId,
    secret: SecretId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let id = secret.0.to_string();
    let query =
        sqlx::query("UPDATE secrets SET ended = ?3 WHERE id = ?1 AND client_id = ?2 AND ended IS NULL");
    let query = query.bind(&id).bind(client.as_str()).bind(at.micros());
    if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
        return Ok(());
    }

    Err(missed_secret(tx, client, &id).await)
}

/// Only ever earlier: of two who limit a secret at the same moment none gives it back what the other took.
pub(super) async fn limit_secret(
    tx: &mut SqliteConnection,
    client: &ClientId,
    secret: SecretId,
    expires: Timestamp,
) -> Result<(), StoreError> {
    let id = secret.0.to_string();
    let query = sqlx::query(
        "UPDATE secrets SET expires = ?3
            WHERE id = ?1 AND client_id = ?2 AND ended IS NULL AND (expires IS NULL OR expires >= ?3)",
    );
    let query = query.bind(&id).bind(client.as_str()).bind(expires.micros());
    if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
        return Ok(());
    }
    Err(missed_secret(tx, client, &id).await)
}

pub(super) async fn retag_secret(
    tx: &mut SqliteConnection,
    client: &ClientId,
    secret: SecretId,
    tag: &SecretTag,
) -> Result<(), StoreError> {
    let id = secret.0.to_string();
    let query = sqlx::query(
        "UPDATE secrets SET pepper = ?3, tag = ?4 WHERE id = ?1 AND client_id = ?2 AND ended IS NULL",
    );
    let query = query.bind(&id).bind(client.as_str()).bind(&tag.pepper).bind(&tag.tag);
    if query.execute(&mut *tx).await.map_err(failure)?.rows_affected() == 1 {
        return Ok(());
    }
    Err(missed_secret(tx, client, &id).await)
}

async fn missed_secret(tx: &mut SqliteConnection, client: &ClientId, id: &str) -> StoreError {
    let query = sqlx::query("SELECT 1 FROM secrets WHERE id = ?1 AND client_id = ?2");
    match query.bind(id).bind(client.as_str()).fetch_optional(tx).await {
        Ok(row) => conflicts::missed(row.is_some(), "secret", id),
        Err(error) => failure(error),
    }
}

async fn add_apis(tx: &mut SqliteConnection, client: &Client) -> Result<(), StoreError> {
    for (position, api) in (0_i64..).zip(&client.apis) {
        sqlx::query("INSERT INTO client_apis (client_id, position, api_id) VALUES (?1, ?2, ?3)")
            .bind(client.id.as_str())
            .bind(position)
            .bind(api.0.to_string())
            .execute(&mut *tx)
            .await
            .map_err(|error| {
                refused(error, |violation| conflicts::client_api(violation, &client.id, *api))
            })?;
    }
    Ok(())
}

/// The arguments 1 to 15 of both statements that write a client.
fn bound<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    client: &Client,
) -> Query<'q, Sqlite, SqliteArguments> {
    query
        .bind(client.id.to_string())
        .bind(client.version)
        .bind(client.partner_id.0.to_string())
        .bind(client.user_id.0.to_string())
        .bind(client.name.as_str().to_owned())
        .bind(client.is_test)
        .bind(rows::as_json(&client.scopes))
        .bind(client.default_scopes.as_ref().map(rows::as_json))
        .bind(rows::as_word(&client.ungranted_scope))
        .bind(i64::from(client.lifetime.seconds()))
        .bind(rows::as_json(&client.allow))
        .bind(client.auth_method.map(Method::as_str))
        .bind(rows::as_json(&client.grant_types))
        .bind(client.status.as_str())
        .bind(client.expires.map(Timestamp::micros))
}
