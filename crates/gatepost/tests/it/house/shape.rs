//! This file is where the shape of the code is held: sizes, names, first lines, nothing unfinished.

use super::hold;
use super::tree::{Page, pages};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;

/// Names that say of what kind a thing is, where its meaning should stand.
const KINDS: [&str; 15] = [
    "util", "utils", "helper", "helpers", "common", "type", "types", "trait", "traits", "model", "models",
    "misc", "manager", "managers", "stuff",
];
const VERBS_WITHOUT_MEANING: [&str; 4] = ["get_", "do_", "handle_", "process_"];
const ENDINGS_WITHOUT_MEANING: [&str; 4] = ["Manager", "Helper", "Impl", "Data"];

fn rust() -> impl Iterator<Item = &'static Page> {
    pages().iter().filter(|page| page.is_rust())
}

fn front_sentence(page: &Page) -> Option<String> {
    let spoken = page.text.strip_prefix("//! ").is_some_and(|sentence| sentence.len() > 10);
    (!spoken).then(|| format!("{}: begin it with `//!` and a sentence: this file is where …", page.path))
}

fn long_file(page: &Page) -> Option<String> {
    let lines = page.text.lines().count();
    (lines > FILE_LINES).then(|| format!("{}: {lines} lines; split it by meaning", page.path))
}

/// A function ends at the first `}` that stands as deep as its `fn`; rustfmt sees to it.
fn long_functions(page: &Page) -> Vec<String> {
    let lines: Vec<&str> = page.text.lines().collect();
    let heads = (0..lines.len()).filter_map(|start| Some((start, function_name(lines[start])?)));
    let measured = heads.filter_map(|(start, name)| {
        let depth = lines[start].len() - lines[start].trim_start().len();
        let end = format!("{}}}", " ".repeat(depth));
        let length = lines[start..].iter().position(|line| line.trim_end() == end)? + 1;
        (length > FUNCTION_LINES).then(|| {
            format!("{}:{}: fn {name} has {length} lines; give a step of it a name", page.path, start + 1)
        })
    });
    measured.collect()
}

/// The name, when this line begins a function.
pub(super) fn function_name(line: &str) -> Option<&str> {
    let (head, rest) = line.split_once("fn ")?;
    let only_qualifiers = head.split_whitespace().all(|word| {
        word.starts_with("pub")
            || ["const", "async", "unsafe", "extern"].contains(&word)
            || word.ends_with(')')
    });
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (only_qualifiers && !name.is_empty()).then_some(name)
}

fn kind_named(page: &Page) -> Option<String> {
    let stems = page.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let kind = stems.into_iter().find(|stem| KINDS.contains(stem))?;
    Some(format!(
        "{}: `{kind}` names a kind; name the meaning, or put its content where it is used",
        page.path
    ))
}

fn meaningless_names(page: &Page) -> Vec<String> {
    let complain = |number: usize, name: &str, mend: &str| format!("{}:{number}: {name}: {mend}", page.path);
    let found = page.code().filter_map(|(number, line)| {
        if let Some(name) = function_name(line)
            && VERBS_WITHOUT_MEANING.iter().any(|verb| name.starts_with(verb))
        {
            return Some(complain(number, name, "name the function after what it does in the domain"));
        }
        let name = type_name(line)?;
        let bare = ENDINGS_WITHOUT_MEANING.iter().any(|ending| name.ends_with(ending));
        bare.then(|| complain(number, name, "leave the empty ending off, or say what the type is"))
    });
    found.collect()
}

/// The name, when this line begins a type of our own.
fn type_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let keyword = words.next()?;
    let name = words.next()?.split(|c: char| !c.is_alphanumeric()).next()?;
    ["struct", "enum", "trait", "union"].contains(&keyword).then_some(name)
}

/// A test's name is a sentence about behaviour; a sentence has three words at least.
fn unspoken_tests(page: &Page) -> Vec<String> {
    let lines: Vec<&str> = page.text.lines().collect();
    let is_test =
        |line: &str| ["#[test]", "#[tokio::test"].iter().any(|mark| line.trim_start().starts_with(mark));
    let found = lines.windows(2).zip(2..).filter_map(|(pair, number)| {
        let name = function_name(pair[1]).filter(|_| is_test(pair[0]))?;
        let spoken = name.split('_').count() >= 3 && !name.starts_with("test_");
        (!spoken).then(|| format!("{}:{number}: {name}: say the behaviour in a sentence", page.path))
    });
    found.collect()
}

/// Marks are joined here, so that this file does not complain about itself.
fn unfinished(page: &Page) -> Vec<String> {
    let marks = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ign", "ore"),
        concat!("assert!(tr", "ue)"),
        concat!("dbg", "!("),
    ];
    let found = (1..).zip(page.text.lines()).filter_map(|(number, line)| {
        let mark = marks.iter().find(|mark| line.contains(**mark))?;
        Some(format!("{}:{number}: {mark}: finish it or take it out", page.path))
    });
    found.collect()
}

#[test]
fn every_file_begins_with_a_sentence_about_itself() {
    hold("Each Rust file begins with `//!`.", rust().filter_map(front_sentence));
    assert!(front_sentence(&Page::sample("a.rs", "use std::fmt;\n")).is_some());
    assert!(front_sentence(&Page::sample("a.rs", "//! \n")).is_some());
    assert!(front_sentence(&Page::sample("a.rs", "//! This file is where scopes are parsed.\n")).is_none());
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    hold("A file has at most 500 lines.", rust().filter_map(long_file));
    assert!(long_file(&Page::sample("a.rs", &"\n".repeat(501))).is_some());
    assert!(long_file(&Page::sample("a.rs", &"\n".repeat(500))).is_none());
}

#[test]
fn no_function_is_longer_than_a_screen() {
    hold("A function has at most 60 lines.", rust().flat_map(long_functions));
    let of = |lines: usize| {
        let body = "        call();\n".repeat(lines - 2);
        let text = format!("impl A {{\n    pub(crate) async fn long(&self) {{\n{body}    }}\n}}\n");
        long_functions(&Page::sample("a.rs", &text))
    };
    assert!(of(61)[0].starts_with("a.rs:2: fn long has 61 lines"));
    assert!(of(60).is_empty());
}

#[test]
fn files_and_folders_are_named_by_meaning() {
    hold("No file or folder is named after a kind of thing.", pages().iter().filter_map(kind_named));
    assert!(kind_named(&Page::sample("crates/a/src/utils/mod.rs", "")).is_some());
    assert!(kind_named(&Page::sample("crates/a/src/helpers.rs", "")).is_some());
    assert!(kind_named(&Page::sample("crates/a/src/clients/mod.rs", "")).is_none());
}

#[test]
fn functions_and_types_have_names_with_meaning() {
    let shipped = rust().filter(|page| page.ships());
    hold("No empty verbs, no empty endings.", shipped.flat_map(meaningless_names));
    let bad = "pub fn get_client() {}\npub(crate) struct KeyManager;\n// fn do_it() {}\nfn digest() {}\n";
    assert_eq!(meaningless_names(&Page::sample("a.rs", bad)).len(), 2);
}

#[test]
fn the_name_of_a_test_is_a_sentence() {
    hold("A failing test says by its name what is broken.", rust().flat_map(unspoken_tests));
    let bad = concat!("#[te", "st]\nfn params() {}\n#[tokio::te", "st]\nasync fn test_of_params_two() {}\n");
    assert_eq!(unspoken_tests(&Page::sample("a.rs", bad)).len(), 2);
}

#[test]
fn nothing_is_left_unfinished() {
    let ours = |page: &&Page| [".rs", ".py", ".js", ".sh"].iter().any(|end| page.path.ends_with(end));
    hold(
        "No stubs, no switched-off tests, no notes to self.",
        pages().iter().filter(ours).flat_map(unfinished),
    );
    let bad = concat!("fn a() { to", "do!() }\n#[ign", "ore]\nfn b() {}\n");
    assert_eq!(unfinished(&Page::sample("a.rs", bad)).len(), 2);
}
