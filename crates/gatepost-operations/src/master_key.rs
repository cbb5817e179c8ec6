//! This file is where the master key file is read and first written: wrapping keys and peppers, each with an id.
//!
//! The file stands beside the database, never inside it: whoever has one of the two has nothing.
//! New values are made with the first of each list; stored values name the id that made them, so rotation adds entries.

pub(crate) mod belonging;
mod rotation;

pub use rotation::add_wrapping_key;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_core::keys::{WrappingKey, WrappingKeys};
use gatepost_core::secret::{Pepper, Peppers, Secret, SecretTag};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::entropy::Entropy;
use crate::failure::{Failure, Kind};

/// The keys of the master key file, ready for use.
#[derive(Debug)]
pub struct MasterKey {
    /// They seal and open signing keys.
    pub wrapping: WrappingKeys,
    /// They turn secrets into tags.
    pub peppers: Peppers,
    /// The name of the pepper for new tags.
    pub pepper_id: String,
}

/// The file's name inside the data folder.
pub const FILE: &str = "master.key";

const HEADING: &str = "# Gatepost master key. Back this file up, apart from the database: without it the signing keys can't be\n\
                       # read and no secret is recognised. Whoever has it and the database has everything.\n";

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Contents {
    wrapping: Vec<Entry>,
    pepper: Vec<Entry>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    key: String,
}

/// Where the file of this data folder is.
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Reads the file; a missing, damaged or world-readable one is a configuration failure that says how to mend it.
pub fn read(data: &Path) -> Result<MasterKey, Failure> {
    Ok(entries(data)?.1)
}

/// The entries of the file, and what they make.
fn entries(data: &Path) -> Result<(Contents, MasterKey), Failure> {
    let path = path(data);
    let said = |what: &str, why: String, fix: &str| {
        Failure::new(
            Kind::Configuration,
            "master_key.unusable",
            format!("{what} {}", path.display()),
            why,
            fix,
        )
    };
    let restore = "restore the file from its backup; a new one would not open what is stored";

    let metadata = std::fs::metadata(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            said("there is no master key file", "the signing keys are sealed under it".into(), restore)
        }
        _ => said("can't read the master key file", error.to_string(), "give this user the right to read it"),
    })?;
    if !metadata.is_file() {
        return Err(said(
            "the master key is no plain file:",
            "a folder or device stands there".into(),
            restore,
        ));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        let why =
            format!("its mode is {:04o}, so others can read it", metadata.permissions().mode() & 0o7777);
        return Err(said(
            "others may read the master key file",
            why,
            &format!("chmod 600 {}", path.display()),
        ));
    }

    let text = Zeroizing::new(std::fs::read_to_string(&path).map_err(|error| {
        said("can't read the master key file", error.to_string(), "give this user the right to read it")
    })?);
    let contents: Contents = toml::from_str(&text).map_err(|_| {
        said("can't understand the master key file", "it is damaged or no master key file".into(), restore)
    })?;
    let master = parse(&contents).ok_or_else(|| {
        said(
            "can't understand the master key file",
            "an entry is missing or is not 32 bytes in base64".into(),
            restore,
        )
    })?;
    Ok((contents, master))
}

/// Writes a new file unless there is one; returns whether it did. The file is whole or not there at all.
pub fn create(data: &Path, entropy: &Entropy) -> Result<bool, Failure> {
    let path = path(data);
    let failed = |error| unwritable(&path, &error);
    if path.try_exists().map_err(failed)? {
        return Ok(false);
    }

    let contents = Contents { wrapping: vec![entry("w", entropy)?], pepper: vec![entry("p", entropy)?] };
    let aside = write_aside(data, &contents, entropy)?;
    // Linked into place: of two starters one wins.
    let written = std::fs::hard_link(&aside, &path);
    let _ = std::fs::remove_file(&aside);
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Writes the entries into a file of their own, so that a crash leaves no half master key.
fn write_aside(data: &Path, contents: &Contents, entropy: &Entropy) -> Result<PathBuf, Failure> {
    let text = toml::to_string(contents)
        .map_err(|error| Failure::internal("master_key.format", error.to_string()))?;
    let text = Zeroizing::new(format!("{HEADING}{text}"));
    let aside = data.join(format!(".{FILE}.{}", entropy.uuid()?));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&aside);
        unwritable(&path(data), &error)
    })?;
    Ok(aside)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("can't write the master key file {}", path.display());
    let fix = "give this user the right to write there";
    Failure::new(Kind::Unavailable, "master_key.unwritable", what, error.to_string(), fix)
}

fn entry(kind: &str, entropy: &Entropy) -> Result<Entry, Failure> {
    let id = format!("{kind}-{:08x}", u32::from_be_bytes(entropy.bytes()?));
    let bytes = Zeroizing::new(entropy.bytes::<32>()?);
    Ok(Entry { id, key: STANDARD.encode(bytes.as_slice()) })
}

fn parse(contents: &Contents) -> Option<MasterKey> {
    let bytes = |entry: &Entry| -> Option<Zeroizing<[u8; 32]>> {
        let decoded = Zeroizing::new(STANDARD.decode(&entry.key).ok()?);
        Some(Zeroizing::new(decoded.as_slice().try_into().ok()?))
    };
    let wrapping = |entry: &Entry| WrappingKey::new(entry.id.clone(), &*bytes(entry)?);
    let pepper = |entry: &Entry| Some(Pepper::new(entry.id.clone(), &*bytes(entry)?));

    let (first_wrapping, older_wrapping) = contents.wrapping.split_first()?;
    let (first_pepper, older_peppers) = contents.pepper.split_first()?;
    Some(MasterKey {
        wrapping: WrappingKeys::new(
            wrapping(first_wrapping)?,
            older_wrapping.iter().map(wrapping).collect::<Option<_>>()?,
        ),
        peppers: Peppers::new(
            pepper(first_pepper)?,
            older_peppers.iter().map(pepper).collect::<Option<_>>()?,
        ),
        pepper_id: first_pepper.id.clone(),
    })
}

impl MasterKey {
    /// The tag of a known text: stored at the beginning, it shows a wrong file before any secret is refused.
    pub fn check_tag(&self) -> SecretTag {
        self.peppers.tag(&known_text())
    }

    /// Whether this file belongs to the state that remembers `pepper` and `check`.
    pub fn belongs_to(&self, pepper: &str, check: &[u8]) -> bool {
        let tag = if self.peppers.is_current(pepper) {
            Some(self.check_tag())
        } else {
            self.peppers.tag_under(pepper, &known_text())
        };
        tag.is_some_and(|tag| tag.matches(&SecretTag { pepper: pepper.to_owned(), tag: check.to_vec() }))
    }
}

fn known_text() -> Secret {
    Secret::new("gatepost master key check".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_new_file_is_private_and_a_second_creation_leaves_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Entropy::default();

        assert!(create(folder.path(), &entropy).unwrap());
        let first = read(folder.path()).unwrap().check_tag();
        assert!(!create(folder.path(), &entropy).unwrap());

        let mode = std::fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(read(folder.path()).unwrap().belongs_to(&first.pepper, &first.tag));
    }

    #[test]
    fn a_missing_a_damaged_and_an_open_file_each_say_how_to_mend_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = path(folder.path());
        let why = || {
            let failure = read(folder.path()).unwrap_err();
            assert_eq!(failure.kind, Kind::Configuration);
            failure.why
        };

        assert_eq!(why(), "the signing keys are sealed under it");
        create(folder.path(), &Entropy::default()).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(why(), "its mode is 0644, so others can read it");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&file, "wrapping = []\npepper = []\n").unwrap();
        assert_eq!(why(), "an entry is missing or is not 32 bytes in base64");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(why(), "it is damaged or no master key file");
    }

    #[test]
    fn the_file_of_another_state_is_recognised() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        create(one.path(), &Entropy::default()).unwrap();
        create(two.path(), &Entropy::default()).unwrap();
        let tag = read(one.path()).unwrap().check_tag();

        assert!(!read(two.path()).unwrap().belongs_to(&tag.pepper, &tag.tag));
    }
}
