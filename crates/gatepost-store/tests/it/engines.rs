//! This file is where a test gets a store of its own, on the engine that it runs on.

use std::path::Path;
use std::sync::Arc;

use gatepost_store::{Address, Location, Store};
use tempfile::TempDir;

use crate::postgres;

/// Runs each case on every engine.
macro_rules! on_every_engine {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::engines::Home::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::engines::Home::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_every_engine;

/// A place for one store, empty at first.
pub(crate) struct Home {
    pub(crate) location: Location,
    folder: Option<TempDir>,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { location: Location::Sqlite(folder.path().join("gatepost.db")), folder: Some(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        Self { location: Location::Postgres(Address(postgres::database().await)), folder: None }
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        gatepost_store::open(&self.location, 4).await.unwrap()
    }

    /// The folder of a SQLite store.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("only a SQLite store has a folder").path()
    }

    /// The file of a SQLite store.
    pub(crate) fn file(&self) -> &Path {
        match &self.location {
            Location::Sqlite(file) => file,
            Location::Postgres(_) => panic!("only a SQLite store has a file"),
        }
    }

    /// The address of a PostgreSQL store.
    pub(crate) fn address(&self) -> &str {
        match &self.location {
            Location::Postgres(address) => &address.0,
            Location::Sqlite(_) => panic!("only a PostgreSQL store has an address"),
        }
    }

    /// Runs statements beside the store, as another program would.
    pub(crate) async fn meddle(&self, statements: &'static str) {
        match &self.location {
            Location::Sqlite(file) => {
                let mut connection = raw_sqlite(file).await;
                sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
                sqlx::Connection::close(connection).await.unwrap();
            }
            Location::Postgres(address) => {
                let mut connection = raw_postgres(&address.0).await;
                sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
                sqlx::Connection::close(connection).await.unwrap();
            }
        }
    }
}

pub(crate) async fn raw_sqlite(file: &Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
    sqlx::ConnectOptions::connect(&options).await.unwrap()
}

pub(crate) async fn raw_postgres(address: &str) -> sqlx::PgConnection {
    <sqlx::PgConnection as sqlx::Connection>::connect(address).await.unwrap()
}
