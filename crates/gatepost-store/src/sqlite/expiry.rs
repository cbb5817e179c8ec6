//! This file is where it is read from SQLite what is to expire.

use async_trait::async_trait;
use gatepost_core::change::Subject;
use gatepost_core::time::Timestamp;

use super::{SqliteStore, failure};
use crate::{Expiry, StoreError, rows};

#[async_trait]
impl Expiry for SqliteStore {
    async fn expiring(&self, until: Timestamp, limit: u32) -> Result<Vec<(Subject, Timestamp)>, StoreError> {
        let query = sqlx::query(
            "SELECT 'client' AS noun, id, expires FROM clients WHERE status = 'active' AND expires <= ?1
                UNION ALL
                SELECT 'partner' AS noun, id, expires FROM partners WHERE status = 'active' AND expires <= ?1
                ORDER BY expires, id LIMIT ?2",
        );
        let query = query.bind(until.micros()).bind(i64::from(limit));
        let found = query.fetch_all(&self.readers).await.map_err(failure)?;
        found.iter().map(rows::expiring).collect()
    }
}
