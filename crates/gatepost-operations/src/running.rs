//! This file is where a running server makes itself known: a locked file in the data folder that says who it is.
//!
//! The lock keeps a second server from the same SQLite file; what is written in it is for `gatepost status`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Kind};

/// The file's name inside the data folder.
pub const FILE: &str = "gatepost.lock";

/// What a running server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where partners reach it.
    pub public_url: String,
    /// Where operators reach it.
    pub admin_url: String,
}

/// The hold on a data folder; it ends with the process, however that ends.
#[derive(Debug)]
pub struct Hold(File);

/// Takes the folder for this process; one that another server holds is a conflict.
pub fn take(data: &Path) -> Result<Hold, Failure> {
    let path = data.join(FILE);
    let failed = |error: std::io::Error| {
        let what = format!("can't lock {}", path.display());
        Failure::new(
            Kind::Unavailable,
            "data.unwritable",
            what,
            error.to_string(),
            "give this user the right to write there",
        )
    };
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Hold(file)),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let by = look(data)
                .map_or_else(|| "another process".to_owned(), |other| format!("process {}", other.pid));
            Err(Failure::new(
                Kind::Conflict,
                "data.taken",
                format!("{} is in use", data.display()),
                format!("{by} serves it"),
                "stop that server first, or give another --data folder",
            ))
        }
    }
}

impl Hold {
    /// Writes down who this server is.
    pub fn announce(&mut self, running: &Running) -> Result<(), Failure> {
        let text = serde_json::to_vec(running)
            .map_err(|error| Failure::internal("lock.format", error.to_string()))?;
        let written = self.0.set_len(0).and_then(|()| self.0.rewind()).and_then(|()| self.0.write_all(&text));
        written.map_err(|error| Failure::internal("lock.write", error.to_string()))
    }
}

/// Who serves the folder, if anyone does.
pub fn look(data: &Path) -> Option<Running> {
    let path: PathBuf = data.join(FILE);
    let mut file = OpenOptions::new().read(true).write(true).open(path).ok()?;
    match file.try_lock() {
        // Nobody holds it: what it says is of a server that is gone.
        Ok(()) | Err(TryLockError::Error(_)) => None,
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.read_to_string(&mut text).ok()?;
            serde_json::from_str(&text).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_folder_is_refused_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let running = Running { pid: 7, public_url: "http://a".into(), admin_url: "http://b".into() };
        let mut hold = take(folder.path()).unwrap();
        hold.announce(&running).unwrap();

        let refused = take(folder.path()).unwrap_err();
        assert_eq!((refused.kind, refused.why.as_str()), (Kind::Conflict, "process 7 serves it"));
        assert_eq!(look(folder.path()), Some(running));

        drop(hold);
        assert_eq!(look(folder.path()), None);
        assert!(take(folder.path()).is_ok());
    }
}
