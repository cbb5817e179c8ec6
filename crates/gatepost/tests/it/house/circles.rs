//! This file is where it is held that files of a crate import each other in no circle: what is below knows nothing above.
//!
//! A front page (`mod.rs`, or the file beside the folder) and the pages of its own folder may name each other: the page
//! says what they share, and sends to them. Without their front page they too must stand in an order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::hold;
use super::imports::{Arrows, Crate, Module, is_inside};
use super::tree::{Page, pages};

/// The files that reach each other, and the others each alone.
fn knots(arrows: &Arrows, among: &BTreeSet<Module>) -> Vec<BTreeSet<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        among.iter().map(|from| (from, ways(arrows, among, from).into_keys().collect())).collect();
    let mut left = among.clone();
    let mut found = Vec::new();
    while let Some(one) = left.pop_first() {
        let mut knot: BTreeSet<Module> = left
            .iter()
            .filter(|other| reach[&one].contains(*other) && reach[other].contains(&one))
            .cloned()
            .collect();
        left.retain(|other| !knot.contains(other));
        knot.insert(one);
        found.push(knot);
    }
    found
}

/// What can be reached from there, each with the file before it on a shortest way.
fn ways(arrows: &Arrows, among: &BTreeSet<Module>, from: &Module) -> BTreeMap<Module, Module> {
    let (mut before, mut next) = (BTreeMap::new(), VecDeque::from([from.clone()]));
    while let Some(at) = next.pop_front() {
        let to = arrows.get(&at).into_iter().flat_map(BTreeMap::keys).filter(|to| among.contains(*to));
        for to in to {
            if !before.contains_key(to) {
                before.insert(to.clone(), at.clone());
                next.push_back(to.clone());
            }
        }
    }
    before
}

/// The front page of all the others, if one of them is.
fn front_page(knot: &BTreeSet<Module>) -> Option<&Module> {
    knot.iter().find(|front| knot.iter().all(|page| page == *front || is_inside(page, front)))
}

/// A shortest circle of each knot that is no front page with its pages; it ends before it comes to its begin.
fn circles(arrows: &Arrows, among: &BTreeSet<Module>) -> Vec<Vec<Module>> {
    let knots = knots(arrows, among).into_iter().filter(|knot| knot.len() > 1);
    let of_knot = |knot: BTreeSet<Module>| match front_page(&knot).cloned() {
        Some(front) => circles(arrows, &knot.into_iter().filter(|page| *page != front).collect()),
        None => shortest(arrows, &knot).into_iter().collect(),
    };
    knots.flat_map(of_knot).collect()
}

fn shortest(arrows: &Arrows, knot: &BTreeSet<Module>) -> Option<Vec<Module>> {
    let through = knot.iter().map(|begin| {
        let before = ways(arrows, knot, begin);
        let (mut circle, mut at) = (vec![begin.clone()], before.get(begin));
        while let Some(file) = at.filter(|file| *file != begin) {
            circle.insert(1, file.clone());
            at = before.get(file);
        }
        circle
    });
    let no_family = |circle: &Vec<Module>| front_page(&circle.iter().cloned().collect()).is_none();
    let mut found: Vec<_> = through.collect();
    found.sort_by_key(|circle| (!no_family(circle), circle.len()));
    found.into_iter().next()
}

fn complaints(files: &[&Page]) -> Vec<String> {
    let home = Crate::of(files);
    let arrows = home.arrows();
    let told = |circle: Vec<Module>| {
        let arrow = |(at, from): (usize, &Module)| {
            let to = &circle[(at + 1) % circle.len()];
            let names: Vec<_> = arrows[from][to].iter().map(String::as_str).collect();
            format!("{} takes {} from {}", home.path(from), names.join(", "), home.path(to))
        };
        let arrows: Vec<_> = circle.iter().enumerate().map(arrow).collect();
        format!("{}; move what both need into a file below them", arrows.join(", "))
    };
    circles(&arrows, &arrows.keys().cloned().collect()).into_iter().map(told).collect()
}

fn of_samples(samples: &[(&str, &str)]) -> Vec<String> {
    let pages: Vec<_> =
        samples.iter().map(|(path, text)| Page::sample(&format!("crates/a/src/{path}"), text)).collect();
    complaints(&pages.iter().collect::<Vec<_>>())
}

#[test]
fn files_of_a_crate_import_each_other_in_no_circle() {
    let mut crates: BTreeMap<&str, Vec<&Page>> = BTreeMap::new();
    for page in pages().iter().filter(|page| page.ships()) {
        crates.entry(page.home()).or_default().push(page);
    }
    hold("What is below knows nothing above.", crates.into_values().flat_map(|files| complaints(&files)));
}

#[test]
fn a_circle_is_named_with_its_arrows() {
    let found = of_samples(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b::{\n    B,\n    other as O,\n};\n"),
        ("b.rs", "pub struct B(super::c::C);\n"),
        ("c.rs", "use super::a;\n\npub struct C(a::A);\n"),
    ]);
    let arrows = "crates/a/src/a.rs takes B, other from crates/a/src/b.rs, \
                  crates/a/src/b.rs takes C from crates/a/src/c.rs, crates/a/src/c.rs takes A from crates/a/src/a.rs";
    assert_eq!(found, [format!("{arrows}; move what both need into a file below them")]);
}

#[test]
fn names_are_followed_to_the_file_that_defines_them() {
    let front = ("a/mod.rs", "mod deep;\nmod high;\npub use deep::Word;\n");
    let high = ("a/high.rs", "use crate::b::B;\n");
    let below =
        [front, high, ("a/deep.rs", "pub struct Word;\n"), ("b.rs", "use crate::a::Word;\npub struct B;\n")];
    assert_eq!(of_samples(&below), [""; 0]);
    let above =
        [front, high, ("a/deep.rs", "use crate::b::B;\n"), ("b.rs", "use crate::a::Word;\npub struct B;\n")];
    assert_eq!(of_samples(&above).len(), 1);
    let itself = [
        ("a/mod.rs", "mod deep;\npub use deep::Word;\nstruct A(Word);\n"),
        above[2],
        ("b.rs", "fn b(_: crate::a::A) {}\n"),
    ];
    assert_eq!(of_samples(&itself).len(), 1);
}

#[test]
fn a_front_page_and_its_pages_may_name_each_other_but_pages_stand_in_an_order() {
    let front = ("a.rs", "mod one;\nmod two;\npub struct Shared;\nfn a() { one::act(two::act()) }\n");
    let (one, two) = (("a/one.rs", "use super::Shared;\n"), ("a/two.rs", "use super::{Shared, one::One};\n"));
    assert_eq!(of_samples(&[front, one, two]), [""; 0]);
    let back = ("a/one.rs", "use super::Shared;\n\nfn one() { super::two::act() }\n");
    assert_eq!(of_samples(&[front, back, two]).len(), 1);
    let outside = [
        front,
        ("a/one.rs", "use crate::b;\nfn one() { b::b() }\n"),
        two,
        ("b.rs", "use crate::a::Shared;\n"),
    ];
    assert_eq!(
        of_samples(&outside).len(),
        1,
        "the front page sends to a page that needs who needs the front page"
    );
}

#[test]
fn what_only_tests_import_makes_no_circle() {
    let tests = "pub struct A;\n\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n";
    let b = ("b.rs", "use crate::a::A;\nuse serde::b;\npub struct B;\n");
    assert_eq!(of_samples(&[("a.rs", tests), b]), [""; 0]);
}
