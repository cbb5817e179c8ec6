//! This file is where the data folder is looked at: who may read it and its files, how large the journal of SQLite is,
//! and who holds it.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use gatepost_store::Location;

use super::Check;
use crate::config::Config;
use crate::{master_key, running, setup};

/// SQLite moves its journal into the database from about 4 MiB on; so much more means that something keeps it from that.
const LARGE_JOURNAL: u64 = 256 << 20;

/// The folder, its files, the journal, the lock.
pub(super) fn checks(config: &Config) -> Vec<Check> {
    let data = &config.data;
    let Ok(metadata) = std::fs::metadata(data) else {
        // The store's check says what is missing and how to make it.
        return Vec::new();
    };
    let mut checks = vec![folder(data, &metadata)];
    checks.extend(account(data, &metadata));
    checks.extend(readable_by_others(&master_key::path(data)));
    if let Location::Sqlite(database) = setup::location(config) {
        checks.extend(readable_by_others(database));
        checks.extend(journal(database));
    }
    checks.push(lock(data));
    checks
}

fn folder(data: &Path, metadata: &Metadata) -> Check {
    let mode = metadata.permissions().mode() & 0o7777;
    let place = data.display();
    if mode & 0o022 != 0 {
        let why = format!("its mode is {mode:04o}, so others can put their own files there");
        let what = format!("others may write in {place}");
        return Check::fail("data", what, why, format!("chmod 700 {place}"));
    }
    if mode & 0o055 != 0 {
        let why = format!("its mode is {mode:04o}");
        let what = format!("others may look into {place}");
        return Check::warn("data", what, why, format!("chmod 700 {place}"));
    }
    Check::ok("data", format!("{place} is this account's alone ({mode:04o})"))
}

/// Files that another account makes can't be read by the server's.
fn account(data: &Path, metadata: &Metadata) -> Option<Check> {
    let own = std::fs::metadata("/proc/self").ok()?.uid();
    let owner = metadata.uid();
    (own != owner).then(|| {
        let what = format!("{} belongs to the account {owner}, this command runs as {own}", data.display());
        let why = "files that it makes can't be read by the server";
        Check::warn("data", what, why, format!("run commands as that account: sudo -u '#{owner}' gatepost"))
    })
}

fn readable_by_others(path: &Path) -> Option<Check> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    let place = path.display();
    let open = mode & 0o077 != 0;
    open.then(|| {
        let what = format!("others may read or write {place}");
        Check::fail("data", what, format!("its mode is {mode:04o}"), format!("chmod 600 {place}"))
    })
}

fn journal(database: &Path) -> Option<Check> {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    let path = PathBuf::from(path);
    let length = std::fs::metadata(&path).ok()?.len();
    (length > LARGE_JOURNAL).then(|| {
        let what = format!("the journal {} has {} MiB", path.display(), length >> 20);
        let why = "a reader that never ends keeps SQLite from moving it into the database";
        Check::warn("store", what, why, "end stuck commands and backups, then restart the server")
    })
}

fn lock(data: &Path) -> Check {
    let path = data.join(running::FILE);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    match (running::look(data), text.is_empty()) {
        (Some(server), _) => Check::ok("lock", format!("process {} serves the folder", server.pid)),
        (None, true) => Check::ok("lock", "nobody serves the folder"),
        (None, false) => {
            Check::ok("lock", "nobody serves the folder any more; what is left of the lock is free")
        }
    }
}
