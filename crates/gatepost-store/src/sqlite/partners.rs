//! This file is where partners are read from and written to SQLite.

use async_trait::async_trait;
use gatepost_core::name::Slug;
use gatepost_core::partners::{Partner, PartnerId};
use gatepost_core::time::Timestamp;
use sqlx::SqliteConnection;

use super::{SqliteStore, failure, refused};
use crate::{Page, Partners, StoreError, conflicts, rows};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, slug, name, status, expires, created, version FROM partners ", $rest)
    };
}

#[async_trait]
impl Partners for SqliteStore {
    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>, StoreError> {
        let query = sqlx::query(select!("WHERE id = ?1")).bind(id.0.to_string());
        let row = query.fetch_optional(&self.readers).await.map_err(failure)?;
        row.as_ref().map(rows::partner).transpose()
    }

    async fn partner_by_slug(&self, slug: &Slug) -> Result<Option<Partner>, StoreError> {
        let query = sqlx::query(select!("WHERE slug = ?1")).bind(slug.as_str());
        let row = query.fetch_optional(&self.readers).await.map_err(failure)?;
        row.as_ref().map(rows::partner).transpose()
    }

    async fn partners(&self, page: Page) -> Result<Vec<Partner>, StoreError> {
        let query = sqlx::query(select!("ORDER BY slug LIMIT ?1 OFFSET ?2"));
        let query = query.bind(i64::from(page.limit)).bind(i64::from(page.offset));
        let found = query.fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::partner).collect()
    }
}

pub(super) async fn create(tx: &mut SqliteConnection, partner: &Partner) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO partners (id, slug, name, status, created, version, expires)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(partner.id.0.to_string())
    .bind(partner.slug.as_str())
    .bind(partner.name.as_str())
    .bind(partner.status.as_str())
    .bind(partner.created.micros())
    .bind(partner.version)
    .bind(partner.expires.map(Timestamp::micros))
    .execute(tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::partner(violation, partner)))?;
    Ok(())
}

pub(super) async fn update(tx: &mut SqliteConnection, partner: &Partner) -> Result<(), StoreError> {
    let id = partner.id.0.to_string();
    let done = sqlx::query(
        "UPDATE partners SET slug = ?3, name = ?4, status = ?5, expires = ?6, version = version + 1
            WHERE id = ?1 AND version = ?2",
    )
    .bind(&id)
    .bind(partner.version)
    .bind(partner.slug.as_str())
    .bind(partner.name.as_str())
    .bind(partner.status.as_str())
    .bind(partner.expires.map(Timestamp::micros))
    .execute(&mut *tx)
    .await
    .map_err(|error| refused(error, |violation| conflicts::partner(violation, partner)))?;
    if done.rows_affected() == 1 {
        return Ok(());
    }

    let there = sqlx::query("SELECT 1 FROM partners WHERE id = ?1").bind(&id);
    let there = there.fetch_optional(tx).await.map_err(failure)?.is_some();
    Err(conflicts::missed(there, "partner", &id))
}

pub(super) async fn delete(tx: &mut SqliteConnection, id: PartnerId) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM partners WHERE id = ?1")
        .bind(id.0.to_string())
        .execute(tx)
        .await
        .map_err(|error| refused(error, |_| conflicts::partner_in_use(id)))?;
    if done.rows_affected() == 0 {
        return Err(conflicts::missed(false, "partner", &id.0.to_string()));
    }
    Ok(())
}
