//! This file is where the tests get databases of their own on a real PostgreSQL server.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::AssertSqlSafe;

use crate::engines::raw_postgres;
use crate::postgres_server::{address, log};

/// The address of a new database. It sorts as people do, not by bytes: our lists must not depend on it.
pub(crate) async fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = raw_postgres(&address("postgres")).await;
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    address(&name)
}

/// The statements that the server has executed for the database at `address`, in order.
pub(crate) fn statements(address: &str) -> Vec<String> {
    let name = address.trim_start_matches("postgres:///").split('?').next().unwrap();
    let log = log();
    let ours = log.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(" LOG:  "));
    ours.filter(|line| line.starts_with("execute ") || line.starts_with("statement: "))
        .map(str::to_owned)
        .collect()
}
