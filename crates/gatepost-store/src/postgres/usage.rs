//! This file is where usage is read from and written to PostgreSQL.

use async_trait::async_trait;
use gatepost_core::apis::ApiId;
use gatepost_core::clients::ClientId;
use gatepost_core::limits::{Day, Issued, Month};
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};
use sqlx::PgConnection;

use super::{PostgresStore, as_it_is, failure, within};
use crate::{StoreError, UsageLog, rows, usage};

#[async_trait]
impl UsageLog for PostgresStore {
    async fn add_usage(&self, clients: &[ClientUsage], secrets: &[SecretUsage]) -> Result<(), StoreError> {
        let mut tx = within(self.pool.begin(), failure).await?;
        within(add_clients(&mut tx, &usage::by_client(clients)), as_it_is).await?;
        within(add_secrets(&mut tx, OF_CLIENTS, &usage::by_secret(secrets)), as_it_is).await?;
        within(tx.commit(), failure).await
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
                    WHERE hour BETWEEN $1 AND $2 AND client_id = $3 ORDER BY hour",
            )
            .bind(from.0)
            .bind(to.0)
            .bind(client.as_str()),
            None => sqlx::query(
                "SELECT client_id, hour, issued, refused FROM usage
                    WHERE hour BETWEEN $1 AND $2 ORDER BY hour, client_id",
            )
            .bind(from.0)
            .bind(to.0),
        };
        let found = within(query.fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::client_usage).collect()
    }

    async fn issued(
        &self,
        clients: &[ClientId],
        day: Day,
        month: Month,
    ) -> Result<Vec<(ClientId, Issued)>, StoreError> {
        let query = sqlx::query(
            "SELECT client_id, sum(issued)::bigint AS in_month,
                coalesce(sum(issued) FILTER (WHERE hour >= $2 AND hour < $3), 0)::bigint AS on_day
                FROM usage WHERE hour >= $4 AND hour < $5 AND client_id = ANY($1)
                GROUP BY client_id",
        );
        let ids: Vec<&str> = clients.iter().map(ClientId::as_str).collect();
        let query = query.bind(ids).bind(day.first_hour().0).bind(day.next().first_hour().0);
        let query = query.bind(month.first_hour().0).bind(month.next().first_hour().0);
        let found = within(query.fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::issued).collect()
    }

    async fn secret_usage(&self, client: &ClientId) -> Result<Vec<SecretUsage>, StoreError> {
        let query = sqlx::query(
            "SELECT u.secret_id, u.last_at, u.address, u.count FROM secret_usage u
                JOIN secrets s ON s.id = u.secret_id WHERE s.client_id = $1 ORDER BY s.created, s.id",
        );
        let found = within(query.bind(client.as_str()).fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::secret_usage).collect()
    }

    async fn add_api_usage(&self, secrets: &[SecretUsage]) -> Result<(), StoreError> {
        let mut tx = within(self.pool.begin(), failure).await?;
        within(add_secrets(&mut tx, OF_APIS, &usage::by_secret(secrets)), as_it_is).await?;
        within(tx.commit(), failure).await
    }

    async fn api_secret_usage(&self, api: ApiId) -> Result<Vec<SecretUsage>, StoreError> {
        let query = sqlx::query(
            "SELECT u.secret_id, u.last_at, u.address, u.count FROM api_secret_usage u
                JOIN api_secrets s ON s.id = u.secret_id WHERE s.api_id = $1 ORDER BY s.created, s.id",
        );
        let found = within(query.bind(api.0.to_string()).fetch_all(&self.pool), failure).await?;
        found.iter().map(rows::secret_usage).collect()
    }

    async fn forget_usage(&self, before: Hour, limit: u32) -> Result<u64, StoreError> {
        // What another node is forgetting just now is left to it.
        let query = sqlx::query(
            "DELETE FROM usage WHERE (client_id, hour) IN (
                SELECT client_id, hour FROM usage WHERE hour < $1 ORDER BY hour LIMIT $2
                FOR UPDATE SKIP LOCKED)",
        );
        let query = query.bind(before.0).bind(i64::from(limit));
        Ok(within(query.execute(&self.pool), failure).await?.rows_affected())
    }
}

/// A client that is deleted at this moment is held until we are done, or is gone when we get to it.
async fn add_clients(tx: &mut PgConnection, sums: &[ClientUsage]) -> Result<(), StoreError> {
    let query = sqlx::query(
        "WITH added AS (
                SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS a (id, hour, issued, refused)),
            there AS (SELECT id FROM clients WHERE id IN (SELECT id FROM added) ORDER BY id FOR KEY SHARE)
            INSERT INTO usage AS u (client_id, hour, issued, refused)
                SELECT id, hour, issued, refused FROM added JOIN there USING (id) ORDER BY id, hour
                ON CONFLICT (client_id, hour) DO UPDATE
                    SET issued = u.issued + excluded.issued, refused = u.refused + excluded.refused",
    );
    let clients: Vec<&str> = sums.iter().map(|sum| sum.client.as_str()).collect();
    let hours: Vec<i64> = sums.iter().map(|sum| sum.hour.0).collect();
    let issued: Vec<i64> = sums.iter().map(|sum| usage::as_number(sum.issued)).collect();
    let refused: Vec<i64> = sums.iter().map(|sum| usage::as_number(sum.refused)).collect();
    query.bind(clients).bind(hours).bind(issued).bind(refused).execute(tx).await.map_err(failure)?;
    Ok(())
}

/// Adds uses to what is counted of secrets, in the one table for those that are in the other.
macro_rules! adding {
    ($counted:literal, $there:literal) => {
        concat!(
            "WITH added AS (
                SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS a (id, last_at, address, count)),
            there AS (SELECT id FROM ",
            $there,
            " WHERE id IN (SELECT id FROM added) ORDER BY id FOR KEY SHARE)
            INSERT INTO ",
            $counted,
            " AS u (secret_id, last_at, address, count)
                SELECT id, last_at, address, count FROM added JOIN there USING (id) ORDER BY id
                ON CONFLICT (secret_id) DO UPDATE SET count = u.count + excluded.count,
                    address = CASE WHEN u.last_at <= excluded.last_at THEN excluded.address ELSE u.address END,
                    last_at = greatest(u.last_at, excluded.last_at)"
        )
    };
}
const OF_CLIENTS: &str = adding!("secret_usage", "secrets");
const OF_APIS: &str = adding!("api_secret_usage", "api_secrets");

async fn add_secrets(
    tx: &mut PgConnection,
    adding: &'static str,
    sums: &[SecretUsage],
) -> Result<(), StoreError> {
    let secrets: Vec<String> = sums.iter().map(|sum| sum.secret.0.to_string()).collect();
    let last: Vec<i64> = sums.iter().map(|sum| sum.at.micros()).collect();
    let addresses: Vec<Option<String>> =
        sums.iter().map(|sum| sum.address.map(|address| address.to_string())).collect();
    let counts: Vec<i64> = sums.iter().map(|sum| usage::as_number(sum.count)).collect();
    let query = sqlx::query(adding);
    query.bind(secrets).bind(last).bind(addresses).bind(counts).execute(tx).await.map_err(failure)?;
    Ok(())
}
