//! This file is where the settings of the store stand: which database, and how many connections to it.

use std::fmt;
use std::path::Path;

use gatepost_store::Location;

use super::error::ConfigError;
use super::explain::mask;
use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "database.url",
        Kind::Url,
        "",
        "The database: `postgres://user:password@host/name`, or `sqlite:///path/gatepost.db`.",
    )
    .noted("SQLite, as gatepost.db in the data folder")
    .secret(),
    Setting::new(
        "database.max_connections",
        Kind::Whole(1, 1000),
        "8",
        "The most connections this node keeps to the database.",
    ),
];

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Where the state is.
    pub location: Location,
    /// The most connections this node keeps.
    pub max_connections: usize,
}

/// Where the state is, for people: the password is masked.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Sqlite(path) => path.display().fmt(f),
            Location::Postgres(address) => f.write_str(&mask(&address.0)),
        }
    }
}

impl Database {
    pub(super) fn read(values: &Values, data: &Path) -> Result<Self, ConfigError> {
        let location = match values.optional("database.url") {
            Some(url) => Location::parse(&url, data).ok_or_else(|| {
                let fix = "write postgres://user@host/name or sqlite:///path/gatepost.db";
                values.bad("database.url", "it is no URL of a database gatepost knows", fix)
            })?,
            None => Location::inside(data),
        };
        Ok(Self { location, max_connections: values.count("database.max_connections")? })
    }
}
