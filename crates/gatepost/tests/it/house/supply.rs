//! This file is where the dependencies are held: what must not be built, and where packages may come from.

use super::hold;
use super::tree::{cargo, page, pages};

/// Crates that must not be built; deny.toml says why.
const BANNED: [&str; 4] = ["rsa", "native-tls", "openssl-sys", "ring"];

/// The names of the packages that a build of everything, tests too, compiles on this system.
fn built() -> Vec<String> {
    let kinds = "normal,build,dev";
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--offline",
        "--locked",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "-e",
        kinds,
    ]);
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn banned(built: &[String]) -> Vec<String> {
    let found = BANNED.iter().filter(|name| built.iter().any(|package| package == *name));
    found
        .map(|name| format!("{name} is built; `cargo tree --workspace -i {name}` says who wants it"))
        .collect()
}

/// Two copies of sqlx mean two copies of SQLite, and the older one wins silently.
fn sqlx_copies(lock: &str) -> Vec<String> {
    let count = lock.lines().filter(|line| *line == "name = \"sqlx\"").count();
    (count != 1)
        .then(|| format!("Cargo.lock holds {count} sqlx; bring every user to one version"))
        .into_iter()
        .collect()
}

fn foreign_sources(lock: &str) -> Vec<String> {
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    let foreign =
        sources.filter(|line| !line.contains("registry+https://github.com/rust-lang/crates.io-index"));
    foreign.map(|line| format!("Cargo.lock: {line}: take the crate from crates.io")).collect()
}

/// Addresses in a lock file bind it to one mirror; the checksums say enough.
fn addresses(path: &str, text: &str) -> Vec<String> {
    let marks = ["\"resolved\"", "--index-url", "--extra-index-url", "--find-links", "git+"];
    let found = (1..).zip(text.lines()).filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
    found
        .map(|(number, _)| format!("{path}:{number}: a download address; lock versions and checksums only"))
        .collect()
}

fn unpinned(requirements: &str) -> Vec<String> {
    let lines = requirements.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter(|line| !line.contains("=="))
        .map(|line| format!("requirements.txt: {line}: pin it with =="))
        .collect()
}

/// The crates that deny.toml bans, read from its `{ crate = "…"` entries.
fn denied(deny: &str) -> Vec<&str> {
    deny.split("{ crate = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn banned_crates_are_not_built() {
    let built = built();
    assert!(
        built.iter().any(|name| name == "aws-lc-rs"),
        "cargo tree listed too little: {} lines",
        built.len()
    );
    hold("These libraries stay out of the program.", banned(&built));
    assert_eq!(banned(&["serde".to_owned(), "ring".to_owned()]).len(), 1);
}

#[test]
fn deny_toml_bans_what_this_test_bans() {
    assert_eq!(denied(&page("deny.toml").text), BANNED, "deny.toml and this test name the same crates");
    assert_eq!(denied("deny = [\n  { crate = \"rsa\", reason = \"x\" },\n]"), ["rsa"]);
}

#[test]
fn there_is_one_sqlx() {
    hold("One sqlx, so one SQLite.", sqlx_copies(&page("Cargo.lock").text));
    assert_eq!(sqlx_copies("name = \"sqlx\"\nname = \"sqlx-core\"\nname = \"sqlx\"\n").len(), 1);
    assert_eq!(sqlx_copies("name = \"serde\"\n").len(), 1);
}

#[test]
fn every_crate_comes_from_the_registry() {
    hold("Sources: crates.io only.", foreign_sources(&page("Cargo.lock").text));
    assert_eq!(foreign_sources("source = \"git+https://example.com/x\"\n").len(), 1);
}

#[test]
fn lock_files_hold_no_download_addresses() {
    let locks = pages()
        .iter()
        .filter(|page| page.path.ends_with("package-lock.json") || page.path.ends_with("requirements.txt"));
    hold("Any mirror may serve the packages.", locks.flat_map(|lock| addresses(&lock.path, &lock.text)));
    let bad = "{\n\"resolved\": \"https://registry.example/a.tgz\"\n}";
    assert_eq!(addresses("package-lock.json", bad).len(), 1);
}

#[test]
fn the_python_clients_are_pinned() {
    hold("A suite of last month runs today.", unpinned(&page("interop/python/requirements.txt").text));
    assert_eq!(unpinned("# a comment\nPyJWT>=2\npytest==9.2.0\n").len(), 1);
}
