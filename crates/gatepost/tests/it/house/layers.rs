//! This file is where the stairs are held: who may call whom, and where SQL, HTTP, IO, time and chance may live.

use super::hold;
use super::tree::{Package, Page, packages, page, pages};

/// Libraries that bring a kind of work with them, and the crates whose work that is.
const WORK: [(&str, &[&str], &[&str]); 3] = [
    (
        "HTTP stops at the edge",
        &["axum", "axum-core", "http", "http-body-util", "hyper", "hyper-util", "tower", "tower-http"],
        &["gatepost-server", "gatepost-guard", "bookings-api", "gatepost-bench"],
    ),
    ("SQL belongs to the store", &["sqlx"], &["gatepost-store", "bookings-api"]),
    (
        "jose and core do no IO",
        &["tokio"],
        &[
            "gatepost",
            "gatepost-server",
            "gatepost-operations",
            "gatepost-store",
            "gatepost-guard",
            "bookings-api",
            "gatepost-bench",
        ],
    ),
];

const SQL_HOMES: [&str; 4] = [
    "crates/gatepost-store/src/sqlite/",
    "crates/gatepost-store/src/postgres/",
    "crates/gatepost-store/src/migrations/",
    "examples/bookings-api/src/",
];

/// Words that only SQL has next to each other; written in capitals, as the store writes them.
const SQL: [&[&str]; 8] = [
    &["SELECT ", " FROM "],
    &["INSERT INTO "],
    &["DELETE FROM "],
    &["UPDATE ", " SET "],
    &["CREATE TABLE"],
    &["CREATE INDEX"],
    &["ALTER TABLE"],
    &["PRAGMA "],
];

const PURE: [&str; 2] = ["crates/gatepost-core", "crates/gatepost-jose"];
const IO: [&str; 12] = [
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
    "tokio::",
    "SystemTime",
    "Instant::",
    "println!",
];

/// Where the real clock and real randomness are read.
const SOURCES: [&str; 2] = ["clock.rs", "entropy.rs"];
/// In jose, randomness makes keys and goes into signatures; nothing else there may draw.
const DRAWING: [&str; 2] = ["crates/gatepost-jose/src/key", "crates/gatepost-jose/src/algorithm/"];
const TIME: [&str; 6] =
    ["SystemTime::now", "Timestamp::now", "Zoned::now", "UNIX_EPOCH.elapsed", "Uuid::now_v7", "Utc::now"];
const CHANCE: [&str; 5] = ["SystemRandom", "rand::fill", "rand::generate", "getrandom", "Uuid::new_v4"];

/// Where requests and words are translated; what they are about is done by operations.
const EDGES: [&str; 2] = ["crates/gatepost/src/", "crates/gatepost-server/src/"];
/// What operations work with. The compiler closes the fields; tests have ways in, which must not be used elsewhere.
const BEHIND_OPERATIONS: [&str; 7] =
    ["gate.store", "gate.clients", "gate.journal", "gate.master", "gate.pool", "gate.usage", "gate.limits"];

/// The server's own stairs: who may not be reached from which folder of it.
const ABOVE: [(&str, &[&str]); 3] = [
    ("http/", &["crate::connections", "crate::layers", "crate::router", "crate::oauth", "crate::state"]),
    ("oauth/", &["crate::connections", "crate::layers", "crate::router", "crate::serve"]),
    ("connections/", &["crate::router", "crate::oauth", "crate::state", "crate::serve"]),
];

const STRICT: [&str; 3] = ["gatepost-jose", "gatepost-core", "gatepost-guard"];
const STRICT_LINTS: [&str; 2] = ["clippy::arithmetic_side_effects", "clippy::indexing_slicing"];

fn shipped() -> impl Iterator<Item = &'static Page> {
    pages().iter().filter(|page| page.ships())
}

/// A crate's folder, and those of our own that it depends on, as the table of the map has them: without `gatepost-`.
type Step<'a> = (&'a str, Vec<&'a str>);

fn stairs(map: &Page) -> Vec<Step<'_>> {
    let rows = map.text.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let (folder, below) = (cells.next()?.trim_matches('`'), cells.next()?);
        Some((folder, below.split(", ").filter(|name| *name != "nothing").collect()))
    })
    .collect()
}

fn short(name: &str) -> &str {
    name.trim_start_matches("gatepost-")
}

fn missteps(stairs: &[Step<'_>], package: &Package) -> Vec<String> {
    let name = &package.name;
    let Some((_, below)) = stairs.iter().find(|(folder, _)| *folder == package.folder) else {
        return vec![format!("{name}: a new crate needs its row in the table of ARCHITECTURE.md")];
    };
    let is_ours = |need: &str| {
        stairs.iter().any(|(folder, _)| folder.rsplit('/').next().is_some_and(|own| short(own) == need))
    };
    let needs: Vec<&str> = package.needs.iter().map(|need| short(need)).collect();
    let up = needs.iter().filter(|need| is_ours(need) && !below.contains(need));
    let up = up.map(|need| format!("{name} -> {need}: calls go down the stairs; it may use {below:?}"));
    let past = below.iter().filter(|step| !needs.contains(step));
    let past = past.map(|step| format!("{name} -> {step}: it is not used; take it out of ARCHITECTURE.md"));
    up.chain(past).collect()
}

fn work_elsewhere(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let strange = WORK.iter().filter(|(_, _, homes)| !homes.contains(&name));
    let found = strange.flat_map(|(rule, libraries, homes)| {
        let needs = package.needs.iter().filter(|need| libraries.contains(&need.as_str()));
        needs.map(move |need| format!("{name}: {need}: {rule}; move the work into one of {homes:?}"))
    });
    found.collect()
}

fn sql(page: &Page) -> Vec<String> {
    if SQL_HOMES.iter().any(|home| page.path.starts_with(home)) {
        return Vec::new();
    }
    let speaks = |line: &str| SQL.iter().any(|words| words.iter().all(|word| line.contains(word)));
    let found = page.code().filter(|(_, line)| line.contains('"') && speaks(line));
    found
        .map(|(number, _)| format!("{}:{number}: SQL lives in the store's engines only", page.path))
        .collect()
}

fn io(page: &Page) -> Vec<String> {
    if !PURE.contains(&page.home()) {
        return Vec::new();
    }
    page.code_with(&IO, "core and jose do no IO and know no clock; take the value as an argument")
}

fn time_and_chance(page: &Page) -> Vec<String> {
    let name = page.path.rsplit('/').next().unwrap_or_default();
    if !page.path.starts_with("crates/") || SOURCES.contains(&name) {
        return Vec::new();
    }
    let mut found = page.code_with(&TIME, "only a clock.rs reads the time; take `now` as an argument");
    if !DRAWING.iter().any(|home| page.path.starts_with(home)) {
        found.extend(page.code_with(&CHANCE, "only an entropy.rs draws; take the bytes as an argument"));
    }
    found
}

fn command_words(page: &Page) -> Vec<String> {
    if !PURE.contains(&page.home()) {
        return Vec::new();
    }
    let flag = |text: &str| {
        text.split(" --").skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
    };
    let speaks = |line: &str| line.contains('"') && (line.contains("`gatepost ") || flag(line));
    let found = page.code().filter(|(_, line)| speaks(line));
    found
        .map(|(number, _)| {
            format!("{}:{number}: rules know no command line; say it in operations' `Failure`", page.path)
        })
        .collect()
}

fn reaching_through(page: &Page) -> Vec<String> {
    if !EDGES.iter().any(|edge| page.path.starts_with(edge)) {
        return Vec::new();
    }
    page.code_with(&BEHIND_OPERATIONS, "edges call operations and nothing behind them; make it an operation")
}

fn reaching_up(page: &Page) -> Vec<String> {
    let Some(inside) = page.path.strip_prefix("crates/gatepost-server/src/") else {
        return Vec::new();
    };
    let above = ABOVE.iter().filter(|(folder, _)| inside.starts_with(folder));
    let mend = "a request goes down through connections, layers, router and oauth, with http below them";
    above.flat_map(|(_, above)| page.code_with(above, mend)).collect()
}

fn strictness(name: &str, lib: &Page) -> Vec<String> {
    let denied = |lint: &&&str| {
        let attributes = lib.text.split("#![").skip(1).filter_map(|rest| rest.split_once(")]"));
        attributes.into_iter().any(|(inside, _)| inside.starts_with("deny(") && inside.contains(**lint))
    };
    let wanted = STRICT.contains(&name);
    let wrong = STRICT_LINTS.iter().filter(|lint| denied(lint) != wanted);
    let mend = if wanted { "deny it here" } else { "it is for jose, core and guard only" };
    wrong.map(|lint| format!("{}: {lint}: {mend}", lib.path)).collect()
}

#[test]
fn crates_depend_on_each_other_as_the_map_says() {
    let stairs = stairs(page("ARCHITECTURE.md"));
    let found = packages().iter().flat_map(|package| missteps(&stairs, package)).collect::<Vec<_>>();
    hold("Calls go down the stairs, never up, never sideways.", found);
    let climbing = Package::sample("gatepost-core", &["gatepost-jose", "gatepost-store", "serde"]);
    assert_eq!(missteps(&stairs, &climbing).len(), 1);
    let edge =
        Package::sample("gatepost-server", &["gatepost-operations", "gatepost-guard", "gatepost-store"]);
    assert_eq!(missteps(&stairs, &edge).len(), 1, "edges never call the store");
    let slim = Package::sample("gatepost-guard", &[]);
    assert_eq!(missteps(&stairs, &slim).len(), 1, "the map says more than is so");
    let unknown = Package::sample("gatepost-extra", &[]);
    assert_eq!(missteps(&stairs, &unknown).len(), 1);
}

#[test]
fn http_sql_and_io_libraries_stay_in_the_crates_whose_work_they_are() {
    hold("A library is used where its work is done.", packages().iter().flat_map(work_elsewhere));
    let doing_everything = Package::sample("gatepost-core", &["axum", "sqlx", "tokio", "serde"]);
    assert_eq!(work_elsewhere(&doing_everything).len(), 3);
}

#[test]
fn sql_is_written_in_the_stores_engines_only() {
    hold("SQL only in the store.", shipped().flat_map(sql));
    let query = "let q = \"SELECT name FROM partners\";\n";
    assert_eq!(sql(&Page::sample("crates/gatepost-operations/src/partners.rs", query)).len(), 1);
    assert!(sql(&Page::sample("crates/gatepost-store/src/sqlite/partners.rs", query)).is_empty());
}

#[test]
fn core_and_jose_do_no_io() {
    hold("core and jose are pure.", shipped().flat_map(io));
    let read = "//! std::fs is not for us\nfn a() { std::fs::read(\"x\"); }\n#[cfg(test)]\nmod tests { use std::fs; }\n";
    assert_eq!(io(&Page::sample("crates/gatepost-core/src/scope.rs", read)).len(), 1);
    assert!(io(&Page::sample("crates/gatepost-store/src/lib.rs", read)).is_empty());
}

#[test]
fn only_clock_and_entropy_touch_time_and_chance() {
    hold("Time and chance are arguments.", shipped().flat_map(time_and_chance));
    let bad = "let now = SystemTime::now();\nlet rng = SystemRandom::new();\n";
    assert_eq!(time_and_chance(&Page::sample("crates/gatepost-server/src/oauth/token.rs", bad)).len(), 2);
    assert_eq!(time_and_chance(&Page::sample("crates/gatepost-jose/src/algorithm/rs256.rs", bad)).len(), 1);
    assert!(time_and_chance(&Page::sample("crates/gatepost-operations/src/clock.rs", bad)).is_empty());
}

#[test]
fn rules_speak_of_what_they_rule_and_not_of_commands() {
    hold("core and jose know no command line.", shipped().flat_map(command_words));
    let advising =
        "let a = \"leave --alg away\";\nlet b = \"see `gatepost scope list`\";\nlet c = \"a -- b\";\n";
    assert_eq!(command_words(&Page::sample("crates/gatepost-core/src/scope.rs", advising)).len(), 2);
    assert!(command_words(&Page::sample("crates/gatepost-operations/src/failure.rs", advising)).is_empty());
}

#[test]
fn edges_reach_for_nothing_behind_the_operations() {
    hold("Edges never call the store.", shipped().flat_map(reaching_through));
    let reaching =
        "async fn a(app: &App) {\n    app.gate.store.head().await;\n    app.gate.store().close();\n}\n";
    assert_eq!(
        reaching_through(&Page::sample("crates/gatepost-server/src/oauth/token.rs", reaching)).len(),
        2
    );
    assert!(reaching_through(&Page::sample("crates/gatepost-operations/src/usage.rs", reaching)).is_empty());
    let calling = "fn a(desk: &Desk) {\n    clients::show(&desk.gate, id)\n}\n";
    assert!(reaching_through(&Page::sample("crates/gatepost/src/commands/client.rs", calling)).is_empty());
}

#[test]
fn a_request_goes_down_through_the_server_and_enters_no_folder_twice() {
    hold("The server's folders stand in an order.", shipped().flat_map(reaching_up));
    let reaching = "use crate::router::Way;\nuse crate::http::facts::Peer;\n";
    for folder in ["http", "oauth", "connections"] {
        let page = Page::sample(&format!("crates/gatepost-server/src/{folder}/a.rs"), reaching);
        assert_eq!(reaching_up(&page).len(), 1, "{folder}");
    }
    assert!(reaching_up(&Page::sample("crates/gatepost-server/src/layers.rs", reaching)).is_empty());
}

#[test]
fn arithmetic_and_indexing_are_denied_in_exactly_jose_core_and_guard() {
    let libraries = pages().iter().filter(|page| page.path.ends_with("/src/lib.rs"));
    let found = libraries.flat_map(|lib| strictness(lib.home().rsplit('/').next().unwrap_or_default(), lib));
    hold("The strict lints stand where a wrong number is a wrong token.", found);
    let strict = "#![deny(\n    clippy::arithmetic_side_effects,\n    clippy::indexing_slicing\n)]\n";
    assert!(strictness("gatepost-jose", &Page::sample("lib.rs", strict)).is_empty());
    assert_eq!(strictness("gatepost-jose", &Page::sample("lib.rs", "//! jose\n")).len(), 2);
    assert_eq!(strictness("gatepost-store", &Page::sample("lib.rs", strict)).len(), 2);
}
