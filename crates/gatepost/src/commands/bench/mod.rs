//! This folder is where this machine is measured: by the harness of `bench/`, with this very program under test.

mod chart;

use std::path::PathBuf;
use std::time::Duration;

use gatepost_bench::{Failure, TokenLoad};

use crate::args::{BenchCommand, BenchToken};
use crate::ending::{Exit, Trouble};
use crate::output::Output;

/// How the harness tells this program to sign alone.
const SIGN_ALONE: &[&str] = &["bench", "raw"];

/// Carries out a command that measures.
pub(super) fn run(command: BenchCommand, output: Output) -> Result<(), Trouble> {
    match command {
        BenchCommand::Token(asked) => token(&asked, output),
        BenchCommand::Raw(asked) => gatepost_bench::sign_alone(&asked).map_err(|why| not_measured(&why)),
    }
}

fn token(asked: &BenchToken, output: Output) -> Result<(), Trouble> {
    let seconds = u64::from(asked.seconds);
    let load = TokenLoad {
        program: this_program()?,
        own_words: SIGN_ALONE,
        algorithm: asked.alg,
        connections: asked.connections,
        slices: asked.slices,
        slice: Duration::from_secs(seconds),
    };
    output.note(&format!(
        "{} tokens over {} connections, about {} s; a state of its own is set up first",
        asked.alg.name(),
        asked.connections,
        seconds.saturating_mul(u64::from(asked.slices)).saturating_mul(2).saturating_add(10)
    ));
    if cfg!(debug_assertions) {
        output.warn("this is a debug build; its figures say nothing about a release build");
    }
    let row = gatepost_bench::token(&load, &|told| output.note(told)).map_err(|why| not_measured(&why))?;
    if output.is_json() {
        return output.document(&row);
    }
    output.text(&chart::of_tokens(&row))
}

fn this_program() -> Result<PathBuf, Trouble> {
    std::env::current_exe().map_err(|why| Trouble::internal("bench.program", why.to_string()))
}

fn not_measured(why: &Failure) -> Trouble {
    Trouble {
        exit: Exit::Failed,
        code: "bench.failed",
        what: "the measurement could not be made".to_owned(),
        why: why.to_string(),
        fix: "see that nothing else uses this machine and that its temporary folder has room, then repeat"
            .to_owned(),
    }
}
