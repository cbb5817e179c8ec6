//! This file is where usage is read from and written to SQLite.

use async_trait::async_trait;
use gatepost_core::apis::ApiId;
use gatepost_core::clients::ClientId;
use gatepost_core::limits::{Day, Issued, Month};
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};
use sqlx::SqliteConnection;

use super::{SqliteStore, failure};
use crate::{StoreError, UsageLog, rows, usage};

#[async_trait]
impl UsageLog for SqliteStore {
    async fn add_usage(&self, clients: &[ClientUsage], secrets: &[SecretUsage]) -> Result<(), StoreError> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        add_clients(&mut tx, &usage::by_client(clients)).await?;
        add_secrets(&mut tx, OF_CLIENTS, &usage::by_secret(secrets)).await?;
        tx.commit().await.map_err(failure)
    }

    async fn usage(
        &self,
        client: Option<&ClientId>,
        from: Hour,
        to: Hour,
    ) -> Result<Vec<ClientUsage>, StoreError> {
        let query = match client {
            Some(client) => sqlx::query(
                "SELECT client_id, hour, issued, refused FROM usage
                    WHERE hour BETWEEN ?1 AND ?2 AND client_id = ?3 ORDER BY hour",
            )
            .bind(from.0)
            .bind(to.0)
            .bind(client.as_str()),
            None => sqlx::query(
                "SELECT client_id, hour, issued, refused FROM usage
                    WHERE hour BETWEEN ?1 AND ?2 ORDER BY hour, client_id",
            )
            .bind(from.0)
            .bind(to.0),
        };
        let found = query.fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::client_usage).collect()
    }

    async fn issued(
        &self,
        clients: &[ClientId],
        day: Day,
        month: Month,
    ) -> Result<Vec<(ClientId, Issued)>, StoreError> {
        let query = sqlx::query(
            "SELECT client_id, sum(issued) AS in_month,
                coalesce(sum(issued) FILTER (WHERE hour >= ?2 AND hour < ?3), 0) AS on_day
                FROM usage WHERE hour >= ?4 AND hour < ?5 AND client_id IN (SELECT value FROM json_each(?1))
                GROUP BY client_id",
        );
        let ids: Vec<&str> = clients.iter().map(ClientId::as_str).collect();
        let query = query.bind(rows::as_json(&ids)).bind(day.first_hour().0).bind(day.next().first_hour().0);
        let query = query.bind(month.first_hour().0).bind(month.next().first_hour().0);
        let found = query.fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::issued).collect()
    }

    async fn secret_usage(&self, client: &ClientId) -> Result<Vec<SecretUsage>, StoreError> {
        let query = sqlx::query(
            "SELECT u.secret_id, u.last_at, u.address, u.count FROM secret_usage u
                JOIN secrets s ON s.id = u.secret_id WHERE s.client_id = ?1 ORDER BY s.created, s.id",
        );
        let found = query.bind(client.as_str()).fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::secret_usage).collect()
    }

    async fn add_api_usage(&self, secrets: &[SecretUsage]) -> Result<(), StoreError> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        add_secrets(&mut tx, OF_APIS, &usage::by_secret(secrets)).await?;
        tx.commit().await.map_err(failure)
    }

    async fn api_secret_usage(&self, api: ApiId) -> Result<Vec<SecretUsage>, StoreError> {
        let query = sqlx::query(
            "SELECT u.secret_id, u.last_at, u.address, u.count FROM api_secret_usage u
                JOIN api_secrets s ON s.id = u.secret_id WHERE s.api_id = ?1 ORDER BY s.created, s.id",
        );
        let found = query.bind(api.0.to_string()).fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::secret_usage).collect()
    }

    async fn forget_usage(&self, before: Hour, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "DELETE FROM usage WHERE (client_id, hour) IN (
                SELECT client_id, hour FROM usage WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
        );
        let query = query.bind(before.0).bind(i64::from(limit));
        Ok(query.execute(&self.writer).await.map_err(failure)?.rows_affected())
    }
}

/// All rows by one statement: one for each would take most of a core when many different clients ask.
async fn add_clients(tx: &mut SqliteConnection, sums: &[ClientUsage]) -> Result<(), StoreError> {
    let sum = |sum: &ClientUsage| {
        let counts = (usage::as_number(sum.issued), usage::as_number(sum.refused));
        (sum.client.clone(), sum.hour.0, counts.0, counts.1)
    };
    let sums: Vec<_> = sums.iter().map(sum).collect();
    let query = sqlx::query(
        "INSERT INTO usage (client_id, hour, issued, refused)
            SELECT c.id, a.value ->> 1, a.value ->> 2, a.value ->> 3
                FROM json_each(?1) a CROSS JOIN clients c ON c.id = a.value ->> 0 WHERE true
            ON CONFLICT (client_id, hour) DO UPDATE
                SET issued = usage.issued + excluded.issued, refused = usage.refused + excluded.refused",
    );
    query.bind(rows::as_json(&sums)).execute(tx).await.map_err(failure)?;
    Ok(())
}

/// Adds uses to what is counted of secrets, in the one table for those that are in the other.
macro_rules! adding {
    ($counted:literal, $there:literal) => {
        concat!(
            "INSERT INTO ",
            $counted,
            " AS u (secret_id, last_at, address, count)
                SELECT s.id, a.value ->> 1, a.value ->> 2, a.value ->> 3 FROM json_each(?1) a CROSS JOIN ",
            $there,
            " s ON s.id = a.value ->> 0 WHERE true
                ON CONFLICT (secret_id) DO UPDATE SET count = u.count + excluded.count,
                    address = CASE WHEN u.last_at <= excluded.last_at THEN excluded.address ELSE u.address END,
                    last_at = max(u.last_at, excluded.last_at)"
        )
    };
}
const OF_CLIENTS: &str = adding!("secret_usage", "secrets");
const OF_APIS: &str = adding!("api_secret_usage", "api_secrets");

async fn add_secrets(
    tx: &mut SqliteConnection,
    adding: &'static str,
    sums: &[SecretUsage],
) -> Result<(), StoreError> {
    let sum = |sum: &SecretUsage| (sum.secret, sum.at.micros(), sum.address, usage::as_number(sum.count));
    let sums: Vec<_> = sums.iter().map(sum).collect();
    sqlx::query(adding).bind(rows::as_json(&sums)).execute(tx).await.map_err(failure)?;
    Ok(())
}
