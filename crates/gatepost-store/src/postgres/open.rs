//! This file is where a PostgreSQL database is reached, brought up to date and opened.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Error, PgConnection};

use super::PostgresStore;
use super::assertions::Writer;
use super::failure::failure;
use crate::StoreError;
use crate::group_commit::GroupCommit;
use crate::migrations::{POSTGRES, altered, migrator, newer};

/// How long a connection may take to be made or to come free, and a statement to run.
const PATIENCE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(60);

/// Opens the database at `address` with at most `connections`; TLS is as the address says.
pub(crate) async fn open(address: &str, connections: u32) -> Result<PostgresStore, StoreError> {
    let options = PgConnectOptions::from_str(address).map_err(failure)?.application_name("gatepost");
    // Directly, not through the pool: a pool tries until its time is over and then has forgotten why it failed.
    let mut connection = match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(connected) => connected.map_err(failure)?,
        Err(_) => return Err(failure(Error::PoolTimedOut)),
    };
    migrate(&mut connection).await?;
    connection.close().await.map_err(failure)?;

    let pool = PoolOptions::new()
        .max_connections(connections.max(1))
        .idle_timeout(IDLE)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.options([("statement_timeout", PATIENCE.as_millis())]));
    let assertions = GroupCommit::start(Writer(pool.clone()));
    Ok(PostgresStore { pool, assertions })
}

/// One transaction around all steps: of two processes that come at once the second waits, and finds nothing to do.
async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut tx = connection.begin().await.map_err(failure)?;
    // Long enough for another's migration, short enough to say that one is stuck.
    let patience = sqlx::query("SET LOCAL lock_timeout = '60s'");
    patience.execute(&mut *tx).await.map_err(failure)?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('gatepost_migrations', 0))");
    lock.execute(&mut *tx).await.map_err(failure)?;
    migrator(POSTGRES).run_direct(None, &mut *tx, false).await.map_err(unmigrated)?;
    tx.commit().await.map_err(failure)
}

fn unmigrated(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failure(error),
        MigrateError::VersionMissing(step) => newer(step, POSTGRES),
        MigrateError::VersionMismatch(step) => altered(step),
        error => StoreError::Unreadable(error.to_string()),
    }
}
