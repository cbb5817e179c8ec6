//! This file is where the limits of clients are written to PostgreSQL; they are read with their clients.

use gatepost_core::clients::ClientId;
use gatepost_core::limits::ClientLimits;
use sqlx::PgConnection;

use super::{failure, refused};
use crate::{StoreError, conflicts, rows};

/// Puts the limits in the place of those that the client had.
pub(super) async fn keep(
    tx: &mut PgConnection,
    client: &ClientId,
    limits: &ClientLimits,
) -> Result<(), StoreError> {
    let query = sqlx::query("DELETE FROM client_limits WHERE client_id = $1").bind(client.as_str());
    query.execute(&mut *tx).await.map_err(failure)?;
    if limits.is_empty() {
        return Ok(());
    }
    sqlx::query("INSERT INTO client_limits (client_id, limits) VALUES ($1, $2)")
        .bind(client.as_str())
        .bind(rows::as_json(limits))
        .execute(tx)
        .await
        .map_err(|error| refused(error, |_| conflicts::client_limits(client)))?;
    Ok(())
}
