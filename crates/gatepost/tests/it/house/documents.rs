//! This file is where the documents are held to the tree, and the tree to what others may read of it.

use super::hold;
use super::tree::{Package, Page, packages, page, pages, root};

/// Folders whose names, in a text, begin a path of this project.
const ROOTS: [&str; 8] = ["crates/", "docs/", "examples/", "bench/", "fuzz/", "interop/", "ci/", ".ci/"];

/// Paths that a text names: words that begin with a folder of ours and go on.
fn named_paths(text: &str) -> Vec<(usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let words = (1..).zip(text.lines()).flat_map(move |(number, line)| {
        line.split(move |c: char| !is_part(c)).map(move |word| (number, word.trim_end_matches(['.', '-'])))
    });
    let paths =
        words.filter(|(_, word)| ROOTS.iter().any(|root| word.starts_with(root) && word.len() > root.len()));
    paths.collect()
}

fn absent_paths(document: &Page, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let absent = named_paths(&document.text).into_iter().filter(|(_, path)| !exists(path));
    let complaint = |(number, path)| {
        format!("{}:{number}: {path} does not exist; the document changes with the tree", document.path)
    };
    absent.map(complaint).collect()
}

/// Targets of `](target)` that are files, from the page's folder; other sites and places within the page are not.
fn broken_links(page: &Page, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = page.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let lines = (1..).zip(page.text.lines());
    let targets = lines.flat_map(|(number, line)| {
        let links = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        links.map(move |target| (number, target))
    });
    let files = targets.filter(|(_, target)| !target.is_empty() && !target.contains(':'));
    let broken = files.filter(|(_, target)| !exists(&format!("{folder}{target}")));
    broken
        .map(|(number, target)| format!("{}:{number}: {target} is not there; mend the link", page.path))
        .collect()
}

/// Marks of one machine and of one day; they are joined here, so that this file does not complain about itself.
fn machine_marks(page: &Page) -> Vec<String> {
    let marks = [
        concat!("..", "/shared"),
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/fa", "rm/"),
        concat!("/tmp/", "brief"),
        concat!("/home/", "runner"),
    ];
    let found = (1..).zip(page.text.lines()).filter_map(|(number, line)| {
        let mark = marks.iter().find(|mark| line.contains(**mark))?;
        Some(format!(
            "{}:{number}: {mark}: a path of one machine; copy what is needed into the project",
            page.path
        ))
    });
    found.collect()
}

/// A number that means something in one tracker only; the reason belongs into the text itself.
fn issue_numbers(page: &Page) -> Vec<String> {
    let numbered = |line: &str| {
        let lower = line.to_lowercase();
        lower
            .split("issue ")
            .skip(1)
            .any(|rest| rest.trim_start_matches(['#', '(']).starts_with(|c: char| c.is_ascii_digit()))
    };
    let found = (1..).zip(page.text.lines()).filter(|(_, line)| numbered(line));
    found
        .map(|(number, _)| format!("{}:{number}: an issue's number; say the reason instead", page.path))
        .collect()
}

#[test]
fn architecture_names_only_paths_that_exist() {
    let exists = |path: &str| root().join(path).exists();
    hold("ARCHITECTURE.md tells the truth.", absent_paths(page("ARCHITECTURE.md"), exists));
    let text = "See `crates/gatepost-core/src/nowhere.rs` and docs/operate.\nbench/ holds loads.\n";
    let absent = absent_paths(&Page::sample("ARCHITECTURE.md", text), exists);
    assert_eq!(absent.len(), 1, "{absent:?}");
    assert!(absent[0].contains("nowhere.rs"));
}

#[test]
fn architecture_names_every_crate() {
    let document = &page("ARCHITECTURE.md").text;
    let crates = packages();
    let named = |package: &Package| {
        let folder = &package.folder;
        [package.name.clone(), format!("`{folder}`"), format!("{folder}/")]
            .iter()
            .any(|name| document.contains(name))
    };
    let unnamed = crates.iter().filter(|package| !named(package));
    hold(
        "ARCHITECTURE.md shows where things are.",
        unnamed.map(|package| format!("{} is not named", package.name)),
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    let exists = |path: &str| root().join(path).exists();
    let documents = pages().iter().filter(|page| page.path.ends_with(".md"));
    hold("A reader can follow every link.", documents.flat_map(|page| broken_links(page, exists)));
    let text = "[a](nowhere.md#top) [b](../../Cargo.toml) [c](https://example.com) [d](#here)\n";
    assert_eq!(broken_links(&Page::sample("docs/operate/a.md", text), exists).len(), 1);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    hold("The project stands on its own.", pages().iter().flat_map(machine_marks));
    let bad = concat!("include_str!(\"", "..", "/shared/cases.json\")\n/wo", "rk/main\n");
    assert_eq!(machine_marks(&Page::sample("a.rs", bad)).len(), 2);
}

#[test]
fn no_file_leans_on_an_issues_number() {
    let ours = pages().iter().filter(|page| !page.path.ends_with(".json"));
    hold("A text explains itself.", ours.flat_map(issue_numbers));
    let bad = concat!("// see iss", "ue #12\n// see iss", "ue 12\n// an issue of trust\n");
    assert_eq!(issue_numbers(&Page::sample("a.rs", bad)).len(), 2);
}
