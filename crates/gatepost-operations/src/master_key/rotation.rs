//! This file is where the master key file gets a new wrapping key, before the ones that are there.
//!
//! What older ones sealed stays readable until it is sealed anew; a running server reads the file again when it meets a
//! key that the new one sealed.

use std::fs::{File, Metadata};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use super::{entries, entry, path, unwritable, write_aside};
use crate::entropy::Entropy;
use crate::failure::Failure;

/// Adds a wrapping key, with which everything is sealed from now on; returns its id.
///
/// The file is replaced whole or not at all, and keeps its owner.
pub fn add_wrapping_key(data: &Path, entropy: &Entropy) -> Result<String, Failure> {
    let place = path(data);
    let failed = |error: std::io::Error| unwritable(&place, &error);
    let (mut contents, _) = entries(data)?;
    let before = std::fs::metadata(&place).map_err(failed)?;
    let new = entry("w", entropy)?;
    let id = new.id.clone();
    contents.wrapping.insert(0, new);

    let aside = write_aside(data, &contents, entropy)?;
    let replaced = give_to(&aside, &before).and_then(|()| std::fs::rename(&aside, &place));
    if let Err(error) = replaced {
        let _ = std::fs::remove_file(&aside);
        return Err(failed(error));
    }
    // The new name is on the disk before anything is sealed under the new key.
    File::open(data).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(id)
}

/// Whoever may read the old file must be able to read the new one: a server runs as an account of its own.
fn give_to(aside: &Path, owner: &Metadata) -> std::io::Result<()> {
    let own = std::fs::metadata(aside)?;
    if own.uid() == owner.uid() && own.gid() == owner.gid() {
        return Ok(());
    }
    chown(aside, Some(owner.uid()), Some(owner.gid()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::{create, read};
    use super::*;

    #[test]
    fn a_new_wrapping_key_seals_from_now_on_and_the_old_one_opens_still() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Entropy::default();
        create(folder.path(), &entropy).unwrap();
        let before = read(folder.path()).unwrap();
        let sealed = before.wrapping.seal("k", [7; 12], b"private").unwrap();

        let id = add_wrapping_key(folder.path(), &entropy).unwrap();
        let after = read(folder.path()).unwrap();
        assert!(after.wrapping.is_current(&id) && !after.wrapping.is_current(&sealed.wrapping));
        assert_eq!(after.wrapping.open("k", &sealed).unwrap().as_slice(), b"private");
        assert!(after.belongs_to(&before.check_tag().pepper, &before.check_tag().tag));

        let mode = std::fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
    }
}
