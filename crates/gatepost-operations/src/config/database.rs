//! This file is where the settings of the store stand: which database, and how many connections to it.

use std::fmt;
use std::path::Path;

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
    /// Which database.
    pub url: DatabaseUrl,
    /// The most connections this node keeps.
    pub max_connections: usize,
}

/// The URL of a database, whose password never shows in `Debug` or `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password, for the driver alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl Database {
    pub(super) fn read(values: &Values, data: &Path) -> Result<Self, ConfigError> {
        let url = match values.optional("database.url") {
            Some(url) if is_known(&url) => url,
            Some(_) => {
                let fix = "write postgres://user@host/name or sqlite:///path/gatepost.db";
                return Err(values.bad("database.url", "it is no URL of a database gatepost knows", fix));
            }
            None => format!("sqlite://{}", data.join("gatepost.db").display()),
        };
        Ok(Self { url: DatabaseUrl(url), max_connections: values.count("database.max_connections")? })
    }
}

fn is_known(url: &str) -> bool {
    ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
}
