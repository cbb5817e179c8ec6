//! This file is where it is held what stands in few places: statuses of failures, and the functions of both engines.

use super::hold;
use super::shape::function_name;
use super::tree::{Page, pages};

/// Where failures become statuses; and a probe that says no, which is no failure.
const STATUSES: [&str; 3] = [
    "crates/gatepost-server/src/http/failure.rs",
    "crates/gatepost-server/src/http/fault.rs",
    "crates/gatepost-server/src/oauth/health.rs",
];
/// The statuses of what went well.
const WELL: [&str; 3] = ["StatusCode::OK", "StatusCode::NO_CONTENT", "StatusCode::NOT_MODIFIED"];

const ENGINES: [&str; 2] = ["crates/gatepost-store/src/sqlite/", "crates/gatepost-store/src/postgres/"];
/// In which the engines differ: how a store is opened, and what its errors mean.
const OWN: [&str; 3] = ["open.rs", "failure.rs", "listed.rs"];

fn statuses(page: &Page) -> Vec<String> {
    if !page.path.starts_with("crates/gatepost-server/src/") || STATUSES.contains(&page.path.as_str()) {
        return Vec::new();
    }
    let is_failure = |line: &str| {
        let named = line.match_indices("StatusCode::").map(|(at, _)| &line[at..]);
        named.into_iter().any(|rest| !WELL.iter().any(|well| rest.starts_with(well)))
    };
    let found = page.code().filter(|(_, line)| is_failure(line) && !line.trim_start().starts_with("use "));
    found
        .map(|(number, _)| {
            format!("{}:{number}: a failure's status; say it in one of {STATUSES:?}", page.path)
        })
        .collect()
}

/// The functions of each file of an engine, in their order.
fn functions<'a>(files: &[&'a Page], engine: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let inside = files.iter().filter_map(|page| Some((page.path.strip_prefix(engine)?, *page)));
    let shared = inside.filter(|(name, _)| !OWN.contains(name));
    shared
        .map(|(name, page)| (name, page.code().filter_map(|(_, line)| function_name(line)).collect()))
        .collect()
}

fn unlike(files: &[&Page]) -> Vec<String> {
    let [one, other] = ENGINES.map(|engine| functions(files, engine));
    let missing = |these: &[(&str, Vec<&str>)], those: &[(&str, Vec<&str>)], home: &str| {
        let odd = these.iter().filter(|file| !those.contains(file));
        odd.map(|(name, _)| format!("{home}{name}: the other engine has other functions, or another order"))
            .collect::<Vec<_>>()
    };
    [missing(&one, &other, ENGINES[0]), missing(&other, &one, ENGINES[1])].concat()
}

#[test]
fn failures_become_statuses_in_two_places() {
    let shipped = pages().iter().filter(|page| page.ships());
    hold("A failure's status is said in one place for all.", shipped.flat_map(statuses));
    let bad = "use http::StatusCode;\nfn a() { (StatusCode::OK, 1) }\nfn b() { StatusCode::BAD_REQUEST }\n";
    assert_eq!(statuses(&Page::sample("crates/gatepost-server/src/oauth/token.rs", bad)).len(), 1);
    assert!(statuses(&Page::sample(STATUSES[0], bad)).is_empty());
}

#[test]
fn both_engines_have_the_same_functions_in_the_same_order() {
    let shipped: Vec<&Page> = pages().iter().filter(|page| page.ships()).collect();
    assert!(functions(&shipped, ENGINES[0]).len() > 10, "the engines were not found");
    hold("Who reads one engine has read the other.", unlike(&shipped));
    let file = |engine: usize, text| Page::sample(&format!("{}keys.rs", ENGINES[engine]), text);
    let (one, other) = (file(0, "fn add() {}\nfn end() {}\n"), file(1, "fn end() {}\nfn add() {}\n"));
    assert_eq!(unlike(&[&one, &other]).len(), 2);
    assert_eq!(unlike(&[&one]).len(), 1);
    assert!(unlike(&[&one, &file(1, "fn add() {}\nfn end() {}\n")]).is_empty());
}
