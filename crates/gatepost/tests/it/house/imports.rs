//! This file is where a crate's files tell what they take from each other, by `use` and by path.
//!
//! A name is followed to the file that defines it, through whatever hands it on. A page that only hands on what is in
//! its own folder takes nothing from there. The limit: methods are not seen, for no path leads to them.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Page;

/// A file's place in its crate: the names of its modules; empty for the root.
pub(super) type Module = Vec<String>;
/// What each file takes from which other.
pub(super) type Arrows = BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>;

/// How many times a name is handed on at most.
const HANDS: usize = 16;

/// The files of one crate that ship.
pub(super) struct Crate<'a> {
    files: BTreeMap<Module, File<'a>>,
}

struct File<'a> {
    path: &'a str,
    names: Vec<Name>,
    code: String,
}

/// A name that a `use` brings.
struct Name {
    is_public: bool,
    name: String,
    path: Vec<String>,
}

impl<'a> Crate<'a> {
    pub(super) fn of(pages: &[&'a Page]) -> Self {
        let has_library = pages.iter().any(|page| page.path.ends_with("/src/lib.rs"));
        let is_other_root = |page: &Page| has_library && page.path.ends_with("/src/main.rs");
        let files = pages.iter().filter(|page| !is_other_root(page));
        Self { files: files.map(|page| (module_of(&page.path), File::read(page))).collect() }
    }

    pub(super) fn path(&self, module: &Module) -> &'a str {
        self.files.get(module).map_or("", |file| file.path)
    }

    pub(super) fn arrows(&self) -> Arrows {
        self.files.iter().map(|(module, file)| (module.clone(), self.taken_by(module, file))).collect()
    }

    fn taken_by(&self, module: &Module, file: &File<'_>) -> BTreeMap<Module, BTreeSet<String>> {
        let words: BTreeSet<&str> = file.code.split(|c: char| !is_word(c)).collect();
        let names = file.names.iter().filter_map(|name| {
            let (from, what) = self.found(module, &name.path, HANDS)?;
            let is_handed_on = name.is_public && is_inside(&from, module);
            let is_used_too = what.starts_with(char::is_uppercase) && words.contains(name.name.as_str());
            (!is_handed_on || is_used_too).then_some((from, what))
        });
        let by_path = paths(&file.code);
        let mut taken: BTreeMap<Module, BTreeSet<String>> = BTreeMap::new();
        for (from, what) in names.chain(by_path.iter().filter_map(|path| self.found(module, path, HANDS))) {
            if from != *module {
                taken.entry(from).or_default().insert(what);
            }
        }
        taken
    }

    /// The file that defines what this path leads to from there, and its name; nothing for modules and for others' crates.
    fn found(&self, at: &Module, path: &[String], hands: usize) -> Option<(Module, String)> {
        let (mut at, mut rest) = self.entrance(at, path, hands)?;
        while let Some((first, tail)) = rest.split_first() {
            let below = [at.as_slice(), std::slice::from_ref(first)].concat();
            if self.files.contains_key(&below) {
                (at, rest) = (below, tail.to_vec());
                continue;
            }
            let handed_on = self.files.get(&at)?.names.iter().find(|name| name.name == *first);
            return match handed_on.filter(|name| self.is_ours(&at, &name.path)) {
                Some(name) if hands > 0 => self.found(&at, &[name.path.as_slice(), tail].concat(), hands - 1),
                _ => Some((at, first.clone())),
            };
        }
        None
    }

    /// Where the path begins, and the rest of it.
    fn entrance(&self, at: &Module, path: &[String], hands: usize) -> Option<(Module, Vec<String>)> {
        let (first, tail) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), tail.to_vec())),
            "self" => Some((at.clone(), tail.to_vec())),
            "super" => {
                let above = at.split_last()?.1.to_vec();
                match tail.first() {
                    Some(next) if next == "super" => self.entrance(&above, tail, hands),
                    _ => Some((above, tail.to_vec())),
                }
            }
            _ if self.is_ours(at, path) => Some((at.clone(), path.to_vec())),
            _ => {
                let name = self.files.get(at)?.names.iter().find(|name| name.name == *first)?;
                let is_others = name.path.first() == Some(first) || hands == 0;
                let whole = [name.path.as_slice(), tail].concat();
                if is_others { None } else { self.entrance(at, &whole, hands - 1) }
            }
        }
    }

    fn is_ours(&self, at: &Module, path: &[String]) -> bool {
        let Some(first) = path.first() else {
            return false;
        };
        let below = [at.as_slice(), std::slice::from_ref(first)].concat();
        ["crate", "self", "super"].contains(&first.as_str()) || self.files.contains_key(&below)
    }
}

impl<'a> File<'a> {
    fn read(page: &'a Page) -> Self {
        let (mut names, mut code) = (Vec::new(), String::new());
        let mut lines = page.code().map(|(_, line)| line);
        while let Some(line) = lines.next() {
            let bare = line.trim_start();
            let (is_public, item) = match bare.strip_prefix("pub") {
                Some(rest) => (true, rest.trim_start_matches(|c| c != ' ').trim_start()),
                None => (false, bare),
            };
            let Some(begun) = item.strip_prefix("use ").filter(|item| item.ends_with([';', '{'])) else {
                code.push_str(if item.starts_with("mod ") { "" } else { line });
                code.push('\n');
                continue;
            };
            let mut tree = begun.to_owned();
            while !tree.ends_with(';') {
                let Some(more) = lines.next() else { break };
                tree.push_str(more.trim());
            }
            names.extend(names_of(tree.trim_end_matches(';'), &[], is_public));
        }
        Self { path: &page.path, names, code }
    }
}

/// The module of a file: `crates/a/src/b/c.rs` and `crates/a/src/b/c/mod.rs` are `b::c`.
fn module_of(path: &str) -> Module {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let mut module: Module = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let last = module.last().map(String::as_str);
    if last == Some("mod") || module.len() == 1 && matches!(last, Some("lib" | "main")) {
        module.pop();
    }
    module
}

pub(super) fn is_inside(page: &Module, front: &Module) -> bool {
    page.len() > front.len() && page.starts_with(front)
}

/// The names of a tree such as `a::{b, c::d as e}`.
fn names_of(tree: &str, before: &[String], is_public: bool) -> Vec<Name> {
    let of_branch = |branch: &str| {
        let (head, inner) = match branch.split_once('{') {
            Some((head, inner)) => (head, inner.strip_suffix('}')),
            None => (branch, None),
        };
        let (head, other_name) =
            head.split_once(" as ").map_or((head, None), |(head, name)| (head, Some(name)));
        let steps = head.split("::").map(|step| step.trim().to_owned()).filter(|step| !step.is_empty());
        let mut path: Vec<String> = before.iter().cloned().chain(steps).collect();
        if let Some(inner) = inner {
            return names_of(inner, &path, is_public);
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = other_name.map_or_else(|| path.last().cloned().unwrap_or_default(), str::to_owned);
        vec![Name { is_public, name, path }]
    };
    branches(tree).into_iter().flat_map(of_branch).collect()
}

/// Splits at the commas that stand in no inner braces.
fn branches(tree: &str) -> Vec<&str> {
    let (mut depth, mut begins, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(tree[begins..at].trim());
                begins = at + 1;
            }
            _ => {}
        }
    }
    found.push(tree[begins..].trim());
    found.retain(|branch| !branch.is_empty());
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The paths of two or more steps that stand in code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = code.split(|c: char| !is_word(c) && c != ':');
    let steps = |token: &str| token.split("::").map(str::to_owned).collect::<Vec<_>>();
    let whole = |path: &Vec<String>| path.len() > 1 && path.iter().all(|step| step.chars().all(is_word));
    tokens
        .map(|token| steps(token.trim_end_matches(':')))
        .filter(|path| whole(path) && path.iter().all(|step| !step.is_empty()))
        .collect()
}
