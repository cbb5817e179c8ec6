//! This file is where what is handed out is packed and looked through, without building it: `ci/release.sh`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Stands for the program, which takes long to pack: it knows its version.
const PROGRAM: &str = "#!/bin/sh\ncase $2 in --json) echo '{\"version\":\"1.2.3\",\"features\":[\"multi-prime\"]}' ;; *) echo gatepost 1.2.3 ;; esac\n";

/// The same, built without the feature.
const LACKING: &str = "#!/bin/sh\necho '{\"version\":\"1.2.3\",\"features\":[]}'\n";

fn release(words: &[&Path]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/release.sh");
    Command::new(script).args(words).env("SOURCE_DATE_EPOCH", "1000000000").output().unwrap()
}

/// Packs a program made at that moment of this folder, under another account's rights; the archive's name and bytes.
fn packed(folder: &Path, mode: u32) -> (String, Vec<u8>) {
    let program = folder.join("program");
    std::fs::write(&program, PROGRAM).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
    let done = release(&[Path::new("pack"), &program, &folder.join("out")]);
    assert!(done.status.success(), "{done:?}");
    let names = std::fs::read_dir(folder.join("out")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let [archive, sum] = &names[..] else { panic!("{names:?}") };
    assert_eq!(sum, &format!("{archive}.sha256"));
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(told.contains(archive.as_str()), "{told}");
    (archive.clone(), std::fs::read(folder.join("out").join(archive)).unwrap())
}

fn said(command: &str, words: &[&str], folder: &Path) -> String {
    let done = Command::new(command).args(words).current_dir(folder).env("TZ", "UTC").output().unwrap();
    assert!(done.status.success(), "{command} {words:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_same_files_give_the_same_archive_and_it_holds_what_belongs_to_a_program() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (name, bytes) = packed(folders[0].path(), 0o700);
    assert_eq!(packed(folders[1].path(), 0o777), (name.clone(), bytes));
    assert!(name.starts_with("gatepost-1.2.3-") && name.ends_with(".tar.gz"), "{name}");

    let out = folders[0].path().join("out");
    said("sha256sum", &["--check", &format!("{name}.sha256")], &out);
    let top = name.strip_suffix(".tar.gz").unwrap();
    let listed = said("tar", &["--list", "--verbose", "--file", &name], &out);
    let files: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let wanted = [
        "",
        "LICENSE",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "SHA256SUMS",
        "gatepost",
        "gatepost.example.toml",
    ];
    assert_eq!(files, wanted.map(|file| format!("{top}/{file}")));
    for line in listed.lines() {
        assert!(line.contains(" 0/0 ") && line.contains("2001-09-09 01:46"), "{line}");
    }
    said("tar", &["--extract", "--file", &name], &out);
    said("sha256sum", &["--check", "--strict", "SHA256SUMS"], &out.join(top));
    assert_eq!(said("./gatepost", &["version"], &out.join(top)), "gatepost 1.2.3\n");
}

#[test]
fn a_program_that_lacks_four_primes_is_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let (program, out) = (folder.path().join("program"), folder.path().join("out"));
    std::fs::write(&program, LACKING).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    for words in [&[Path::new("try"), &program][..], &[Path::new("pack"), &program, &out]] {
        let done = release(words);
        assert!(!done.status.success() && !out.exists(), "{done:?}");
        let why = String::from_utf8(done.stderr).unwrap();
        assert!(why.contains("without multi-prime") && why.contains("--features"), "{why}");
    }
}

#[test]
fn a_program_that_is_not_there_is_said_to_be_missing() {
    for step in [
        &[Path::new("try"), Path::new("/nonexistent")][..],
        &["pack", "/nonexistent", "/nonexistent/out"].map(Path::new),
    ] {
        let done = release(step);
        let why = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && why.contains("no such program: /nonexistent"), "{why}");
    }
}

#[cfg(feature = "multi-prime")]
#[test]
fn a_program_with_four_primes_stands_the_trial_of_a_release() {
    let done = release(&[Path::new("try"), Path::new(env!("CARGO_BIN_EXE_gatepost"))]);
    assert!(done.status.success(), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("a key of four primes"), "{done:?}");
}
