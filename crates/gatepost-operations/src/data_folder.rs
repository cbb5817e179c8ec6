//! This file is where the data folder is made and judged: who may write there decides who rules the state.

use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Kind};
use crate::master_key;

/// What a folder is called that others may write in.
pub(crate) const OPEN: &str = "data.open";

const ROOT: u32 = 0;

/// Beside the master key once a store was set up under it: an empty store is then a lost one.
const MARKER: &str = "master.key.adopted";

/// Makes the folder where there is none.
pub fn create(data: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| {
        let what = format!("can't create the data folder {}", data.display());
        let fix = "give another folder with --data";
        Failure::new(Kind::Unavailable, "data.unwritable", what, error.to_string(), fix)
    })
}

/// Refuses a folder that others may write in, and a master key of an account that has no business here.
pub(crate) fn check(data: &Path) -> Result<(), Failure> {
    let Ok(folder) = std::fs::metadata(data) else {
        return Ok(());
    };
    let mode = folder.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        let place = data.display();
        let what = format!("others may write in the data folder {place}");
        let why = format!("its mode is {mode:04o}, so others can put their own files there");
        return Err(Failure::new(Kind::Configuration, OPEN, what, why, format!("chmod go-w {place}")));
    }
    match (std::fs::metadata(master_key::path(data)), own_account()) {
        (Ok(key), Some(own)) => check_owner(data, key.uid(), own, &folder),
        (Err(_), _) | (_, None) => Ok(()),
    }
}

fn check_owner(data: &Path, owner: u32, own: u32, folder: &Metadata) -> Result<(), Failure> {
    if is_trusted(owner, own, folder.uid()) {
        return Ok(());
    }
    let path = master_key::path(data);
    let what = format!("the master key file {} belongs to another account", path.display());
    let why = format!("its owner is the account {owner}, who can read it; this process runs as {own}");
    let fix = format!("chown {own} {}, or run as the account that it belongs to", path.display());
    Err(Failure::new(Kind::Configuration, "master_key.foreign", what, why, fix))
}

/// This account and root are trusted; root itself may also serve a folder that is another account's as a whole.
const fn is_trusted(owner: u32, own: u32, folder: u32) -> bool {
    owner == own || owner == ROOT || (own == ROOT && owner == folder)
}

/// The account of this process, where the system tells it.
fn own_account() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|process| process.uid())
}

/// Whether a store was set up under the master key before.
pub(crate) fn is_adopted(data: &Path) -> bool {
    marker(data).exists()
}

/// Writes down that a store was set up under the master key.
///
/// Not being able to is no reason to stop: the state is whole without it.
pub(crate) fn adopt(data: &Path) {
    let text = "A Gatepost store is sealed under master.key. Remove this file only to begin anew without that store.\n";
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(marker(data));
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            tracing::warn!(%error, "can't write {MARKER}; an empty store will not be noticed as a lost one");
        }
        Ok(()) | Err(_) => {}
    }
}

/// The store is empty though one was set up under this master key.
pub(crate) fn lost(data: &Path, place: &str) -> Failure {
    let marker = marker(data);
    let folder = data.display();
    Failure::new(
        Kind::Configuration,
        "store.lost",
        format!("there is no state at {place}, but the master key in {folder} has been in use"),
        "a new state would hide that the old one is lost: its clients and keys would be unknown",
        format!("restore the database or give its address; to begin anew, remove {}", marker.display()),
    )
}

fn marker(data: &Path) -> PathBuf {
    data.join(MARKER)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_folder_that_others_may_write_in_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, is_fine) in [(0o700, true), (0o755, true), (0o770, false), (0o720, false), (0o702, false)]
        {
            std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            let refusal = check(folder.path()).err().map(|failure| (failure.kind, failure.code));
            assert_eq!(refusal, (!is_fine).then_some((Kind::Configuration, OPEN)), "{mode:o}");
        }
        assert_eq!(check(&folder.path().join("none")), Ok(()));
    }

    #[test]
    fn the_master_key_of_a_stranger_is_refused() {
        let (us, stranger) = (1000, 1001);
        assert!(is_trusted(us, us, us) && is_trusted(ROOT, us, us));
        assert!(!is_trusted(stranger, us, us) && !is_trusted(stranger, us, stranger));
        assert!(is_trusted(us, ROOT, us), "root serves the folder of an account");
        assert!(!is_trusted(stranger, ROOT, us), "but not with a stranger's key in it");

        let folder = tempfile::tempdir().unwrap();
        let metadata = std::fs::metadata(folder.path()).unwrap();
        let refused = check_owner(folder.path(), metadata.uid() + 1, metadata.uid(), &metadata).unwrap_err();
        assert_eq!((refused.kind, refused.code), (Kind::Configuration, "master_key.foreign"));
    }

    #[test]
    fn what_was_adopted_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_adopted(folder.path()));
        adopt(folder.path());
        adopt(folder.path());
        assert!(is_adopted(folder.path()));
    }
}
