//! This file is where the address of the state is read: the one place that tells the engines apart by their names.

use std::path::{Path, PathBuf};

/// The SQLite file of a data folder, unless another place is given.
const FILE: &str = "gatepost.db";

/// Where the state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by its `postgres://` address.
    Postgres(Address),
}

/// An address that may hold a password: it can't be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(pub String);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(…)")
    }
}

impl Location {
    /// The SQLite file of a data folder.
    pub fn inside(data: &Path) -> Self {
        Self::Sqlite(data.join(FILE))
    }

    /// Reads `postgres://user@host/name`, `postgresql://…` or `sqlite:///path/to/file`; `sqlite:` alone is the file of
    /// the data folder. `None` for what is none of them.
    pub fn parse(url: &str, data: &Path) -> Option<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Some(Self::Postgres(Address(url.to_owned())));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
        Some(if path.is_empty() { Self::inside(data) } else { Self::Sqlite(path.into()) })
    }

    /// Whether one process at a time may serve it; a database server takes many.
    pub const fn is_one_process(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_names_its_engine() {
        let parse = |url| Location::parse(url, Path::new("/data"));
        let file = |path: &str| Some(Location::Sqlite(path.into()));
        let server = |url: &str| Some(Location::Postgres(Address(url.to_owned())));

        assert_eq!(parse("sqlite:///srv/state.db"), file("/srv/state.db"));
        assert_eq!(parse("sqlite:state.db"), file("state.db"));
        assert_eq!(parse("sqlite://"), file("/data/gatepost.db"));
        assert_eq!(parse("sqlite:"), file("/data/gatepost.db"));
        for url in ["postgres://g@db/gatepost", "postgresql://db"] {
            assert_eq!(parse(url), server(url));
        }
        for url in ["", "mysql://db/gatepost", "/srv/state.db", "postgres"] {
            assert_eq!(parse(url), None, "{url}");
        }
    }

    #[test]
    fn only_a_file_is_for_one_process_and_no_address_is_printed() {
        let server = Location::parse("postgres://g:hunter2@db/gatepost", Path::new("/data")).unwrap();
        assert!(!server.is_one_process() && Location::inside(Path::new("/data")).is_one_process());
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
