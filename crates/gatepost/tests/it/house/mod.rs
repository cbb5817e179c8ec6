//! This folder is where the rules of the house are tests: each rule is a function from what it reads to complaints.
//!
//! A complaint names the file and how to mend it. Beside each rule stands a test on a bad sample, so that a
//! rule which sees nothing shows itself. The rules read text, not syntax: they are fences along the road, and
//! the compiler is the wall.

mod circles;
mod documents;
mod imports;
mod layers;
mod map;
mod places;
mod shape;
mod supply;
mod tree;

/// Fails with every complaint at once, under the rule's own words.
#[track_caller]
fn hold(rule: &str, complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{rule}\n{} broken:\n  {}\n", complaints.len(), complaints.join("\n  "));
}
