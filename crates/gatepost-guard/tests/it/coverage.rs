//! This file is where the rows of the file and the rows of the tests are counted against each other.

use std::collections::BTreeSet;

use crate::mint::BOTH;
use crate::{rows_algorithm, rows_claims, rows_header, rows_structure};

/// Tests named after a row, in the files whose rows need a server, a route or time.
const SOURCES: [&str; 9] = [
    include_str!("answers.rs"),
    include_str!("key_set_rows.rs"),
    include_str!("key_url_rows.rs"),
    include_str!("outage_rows.rs"),
    include_str!("rows_algorithm.rs"),
    include_str!("rows_claims.rs"),
    include_str!("rows_header.rs"),
    include_str!("rows_structure.rs"),
    include_str!("running_rows.rs"),
];

/// Tokens bound to a key or certificate are refused as such (G087); the rows of binding itself come with it.
const BINDING: [&str; 5] = ["G097", "G100", "G101", "G103", "G104"];

#[test]
fn every_row_of_the_file_is_a_case_for_both_profiles() {
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../data/guard_mutations.json")).unwrap();
    let file: BTreeSet<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let named = tests_named_after_rows();
    assert!(file.len() > 70 && BINDING.iter().all(|id| file.contains(*id)));

    for profile in BOTH {
        let categories = [rows_algorithm::rows, rows_header::rows, rows_structure::rows, rows_claims::rows];
        let mut covered: BTreeSet<String> =
            categories.iter().flat_map(|rows| rows(profile)).map(|row| row.id.to_owned()).collect();
        covered.extend(named.clone());
        covered.extend(BINDING.map(str::to_owned));
        assert_eq!(file.difference(&covered).collect::<Vec<_>>(), Vec::<&String>::new(), "{profile:?}");
        assert_eq!(covered.difference(&file).collect::<Vec<_>>(), Vec::<&String>::new(), "{profile:?}");
    }
}

/// `fn g017_…` is a test of row G017.
fn tests_named_after_rows() -> BTreeSet<String> {
    let lines = SOURCES.iter().flat_map(|source| source.lines());
    let names =
        lines.filter_map(|line| line.strip_prefix("async fn g").or_else(|| line.strip_prefix("fn g")));
    names
        .filter(|name| name[..3].bytes().all(|b| b.is_ascii_digit()))
        .map(|name| format!("G{}", &name[..3]))
        .collect()
}
