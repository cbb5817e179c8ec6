//! This file is where a bench of pure parts is told which part to run and how often, so that valgrind can count.
//!
//! Without words it lists its parts. What comes before the rounds of a part is the same for any number of them, so the
//! difference of two counts is the rounds' alone.
#![allow(clippy::expect_used, reason = "who asks for no part or no number gets no figure")]

use std::io::Write as _;

/// A part's name, and what runs it so many times.
pub(crate) type Part = (&'static str, fn(u32));

/// What the words of the command line ask for.
pub(crate) fn run(parts: &[Part]) {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, rounds] = words.as_slice() else {
        // A closed standard output leaves nobody to tell.
        return parts.iter().for_each(|(name, _)| {
            let _ = writeln!(std::io::stdout(), "{name}");
        });
    };
    let (_, part) = parts.iter().find(|(known, _)| known == name).expect("one of the listed parts");
    part(rounds.parse().expect("a number of rounds"));
}
