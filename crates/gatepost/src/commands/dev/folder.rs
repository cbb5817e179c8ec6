//! This file is where the demonstration's temporary folder is made, and removed however the demonstration ends.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use gatepost_operations::entropy::Entropy;
use gatepost_operations::failure::{Failure, Kind};

/// A folder of this account alone that is gone with this value.
pub(super) struct Folder(PathBuf);

/// Where a folder will be, among the system's temporary ones: a name that no other has.
pub(super) fn place() -> Result<PathBuf, Failure> {
    Ok(std::env::temp_dir().join(format!("gatepost-dev-{}", Entropy::default().uuid()?)))
}

impl Folder {
    /// Makes it.
    pub(super) fn create(path: PathBuf) -> Result<Self, Failure> {
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            let what = format!("can't create the temporary folder {}", path.display());
            Failure::new(
                Kind::Unavailable,
                "dev.folder",
                what,
                error.to_string(),
                "name a writable folder in TMPDIR",
            )
        })?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a folder that stays; the system clears it in its time.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
