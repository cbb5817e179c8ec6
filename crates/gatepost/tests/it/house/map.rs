//! This file is where the map of the house is held to the tree: what it names is there, and what is there it names.
//!
//! In ARCHITECTURE.md names of files and folders stand between backticks. Under the heading of a crate they are that
//! crate's; elsewhere they may be anybody's. A folder that is named stands for all that is in it.

use super::hold;
use super::tree::{Page, page, pages};

/// Files up to this length need not be named: they are steps of those that are.
const SMALL: usize = 50;

/// A part of the map: the folder that its heading names, or none, and the names under it with their lines.
struct Section<'a> {
    folder: Option<&'a str>,
    names: Vec<(usize, &'a str)>,
}

impl<'a> Section<'a> {
    fn all(map: &'a Page) -> Vec<Self> {
        let mut sections = vec![Self { folder: None, names: Vec::new() }];
        for (number, line) in (1..).zip(map.text.lines()) {
            let words = || line.split('`').skip(1).step_by(2);
            if line.starts_with('#') {
                let folder = words().next().filter(|_| line.starts_with("### `"));
                sections.push(Self { folder, names: Vec::new() });
            } else if let Some(section) = sections.last_mut() {
                section.names.extend(words().filter(|word| is_name(word)).map(|word| (number, word)));
            }
        }
        sections
    }
}

/// Whether a word between backticks names a file of code or a folder.
fn is_name(word: &str) -> bool {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let ends = [".rs", ".sh", ".txt", ".md", ".toml"].iter().any(|end| word.ends_with(end))
        || word.len() > 1 && word.ends_with('/');
    word.chars().all(is_path) && !word.starts_with('/') && ends
}

/// Whether the name is that of the file, or of a folder that it is in; the whole of a step, not a piece of one.
fn names(name: &str, path: &str) -> bool {
    let (name, path) = (format!("/{name}"), format!("/{path}"));
    if name.ends_with('/') { path.contains(&name) } else { path.ends_with(&name) }
}

fn absent(map: &Page, paths: &[&str]) -> Vec<String> {
    let of_section = |section: Section<'_>| {
        let folder = section.folder.unwrap_or_default();
        let home = |path: &&&str| path.starts_with(folder);
        let lost = section.names.into_iter().filter(|(_, name)| {
            let is_whole = paths.iter().any(|path| path.starts_with(name));
            !is_whole && !paths.iter().filter(home).any(|path| names(name, path))
        });
        let complaint = |(number, name)| {
            format!("{}:{number}: {name} is not there; the map changes with the tree", map.path)
        };
        lost.map(complaint).collect::<Vec<_>>()
    };
    Section::all(map).into_iter().flat_map(of_section).collect()
}

fn unnamed(map: &Page, file: &Page) -> Option<String> {
    let sections = Section::all(map);
    let section =
        sections.iter().find(|section| section.folder.is_some_and(|home| file.path.starts_with(home)))?;
    let home = section.folder.unwrap_or_default();
    let inside = file.path.strip_prefix(home)?;
    let is_front = ["lib.rs", "main.rs"].contains(&inside);
    let is_named = section.names.iter().any(|(_, name)| names(name, inside));
    let lines = file.text.lines().count();
    (lines > SMALL && !is_front && !is_named).then(|| {
        format!(
            "{}: {lines} lines, and nowhere in {}; name it, or its folder, under {home}",
            file.path, map.path
        )
    })
}

#[test]
fn the_map_names_only_what_is_there() {
    let paths: Vec<&str> = pages().iter().map(|page| page.path.as_str()).collect();
    hold("The map shows the house as it is.", absent(page("ARCHITECTURE.md"), &paths));
    let map = Page::sample(
        "ARCHITECTURE.md",
        "### `a/src/`\n`b.rs`, `c/`, `d.rs`, `Word`\n## Ways\n`c/d.rs` `e/b.rs`\n",
    );
    let found = absent(&map, &["a/src/b.rs", "a/src/c/f.rs", "e/src/c/d.rs"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("d.rs") && found[1].contains("e/b.rs"));
}

#[test]
fn every_file_of_some_length_is_on_the_map() {
    let map = page("ARCHITECTURE.md");
    let files = pages().iter().filter(|page| page.ships() && page.path.starts_with("crates/"));
    hold("Who looks for something finds it on the map.", files.filter_map(|file| unnamed(map, file)));
    let map = Page::sample("ARCHITECTURE.md", "### `a/src/`\n`b.rs` and `c/`\n");
    let long = "\n".repeat(51);
    for (path, is_named) in [
        ("a/src/b.rs", true),
        ("a/src/c/d.rs", true),
        ("a/src/lib.rs", true),
        ("a/src/d.rs", false),
        ("a/src/ab.rs", false),
    ] {
        assert_eq!(unnamed(&map, &Page::sample(path, &long)).is_none(), is_named, "{path}");
    }
}
