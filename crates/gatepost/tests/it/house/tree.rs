//! This file is where the house rules get what they read: the project's files and what cargo says of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// Folders that are made, not written; the same as in `.gitignore`, and git's own.
const MADE: [&str; 7] =
    [".git", "target", "node_modules", ".venv", "__pycache__", ".pytest_cache", "gatepost-data"];

/// A text file of the project.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// From the root, with `/` on every system.
    pub path: String,
    pub text: String,
}

impl Page {
    pub(super) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether this is code that ships: of a crate's `src`, and not a file of tests.
    pub(super) fn ships(&self) -> bool {
        self.is_rust()
            && self.path.contains("/src/")
            && !self.path.ends_with("/tests.rs")
            && !self.path.contains("/tests/")
    }

    /// The crate's folder: `crates/gatepost-core`, `bench`.
    pub(super) fn home(&self) -> &str {
        self.path.split_once("/src/").or(self.path.split_once("/tests/")).map_or("", |(home, _)| home)
    }

    /// The lines that ship, with their numbers: without comments and without the test module at the end.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let end = lines
            .windows(2)
            .position(|pair| {
                let begins_a_module = pair[1].trim_start().starts_with("mod ") && !pair[1].ends_with(';');
                pair[0].trim() == "#[cfg(test)]" && begins_a_module
            })
            .unwrap_or(lines.len());
        (1..).zip(lines.into_iter().take(end)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// `path:line: what`, for each line that ships and holds one of the words.
    pub(super) fn code_with(&self, words: &[&str], mend: &str) -> Vec<String> {
        let found = self.code().filter_map(|(number, line)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(format!("{}:{number}: {word}: {mend}", self.path))
        });
        found.collect()
    }
}

/// The workspace's root.
pub(super) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.join("../..").canonicalize().expect("the workspace's root is two folders up")
    });
    &ROOT
}

/// Every text file that is written by hand or locked for it, read once.
pub(super) fn pages() -> &'static [Page] {
    static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
        let mut pages = Vec::new();
        collect(root(), &mut pages);
        pages.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(
            pages.iter().filter(|page| page.is_rust()).count() > 10,
            "the tree was not found at {:?}",
            root()
        );
        pages
    });
    &PAGES
}

/// The file at this path.
pub(super) fn page(path: &str) -> &'static Page {
    let found = pages().iter().find(|page| page.path == path);
    found.unwrap_or_else(|| panic!("{path} is missing; the house rules read it"))
}

fn collect(folder: &Path, pages: &mut Vec<Page>) {
    let entries = fs::read_dir(folder).expect("a folder of the project is readable");
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if MADE.iter().any(|made| name == *made) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, pages);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let inside = path.strip_prefix(root()).expect("walked from the root");
            pages.push(Page { path: inside.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

/// A crate of the workspace and what it takes to build it, by `cargo metadata`.
#[derive(Debug)]
pub(super) struct Package {
    pub name: String,
    /// Its folder from the root.
    pub folder: String,
    /// Names of ordinary dependencies: not those of tests and build scripts.
    pub needs: Vec<String>,
}

impl Package {
    pub(super) fn sample(name: &str, needs: &[&str]) -> Self {
        let needs = needs.iter().map(|need| (*need).to_owned()).collect();
        Self { name: name.to_owned(), folder: format!("crates/{name}"), needs }
    }
}

/// The crates of the workspace.
pub(super) fn packages() -> Vec<Package> {
    let text = cargo(&["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("metadata has packages").iter().map(package).collect()
}

fn package(described: &Value) -> Package {
    let needs = described["dependencies"].as_array().expect("a package has dependencies").iter();
    let ordinary = needs.filter(|need| need["kind"].is_null());
    let manifest = PathBuf::from(text(&described["manifest_path"]));
    let folder =
        manifest.parent().and_then(|folder| folder.strip_prefix(root()).ok()).unwrap_or(Path::new(""));
    let folder = folder.to_string_lossy().replace('\\', "/");
    Package {
        name: text(&described["name"]),
        folder,
        needs: ordinary.map(|need| text(&need["name"])).collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text in cargo's answer").to_owned()
}

/// What this cargo command prints; it never waits for a network.
pub(super) fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(program).args(arguments).current_dir(root()).output().expect("cargo starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "cargo {}: {said}", arguments.join(" "));
    String::from_utf8(done.stdout).expect("cargo prints UTF-8")
}
