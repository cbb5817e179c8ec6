//! This folder is where this machine is measured: by the harness of `bench/`, with this very program under test.

mod chart;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum as _;
use gatepost_bench::{Failure, Pace, Subject, TokenLoad, VerifyAll};

use crate::args::{BenchCommand, BenchToken, BenchVerify};
use crate::ending::{Exit, Trouble};
use crate::output::Output;

/// How the harness tells this program to sign alone.
const SIGN_ALONE: &[&str] = &["bench", "raw"];

/// What may help where nothing better is known.
const REPEAT: &str = "if you did not stop it, see that nothing else uses this machine and that its temporary folder has room; then repeat";

/// Carries out a command that measures.
pub(super) fn run(command: BenchCommand, output: Output) -> Result<(), Trouble> {
    match command {
        BenchCommand::Token(asked) => token(&asked, output),
        BenchCommand::Verify(asked) => verify(asked, output),
        BenchCommand::Raw(asked) => gatepost_bench::sign_alone(&asked).map_err(|why| not_measured(&why)),
    }
}

fn token(asked: &BenchToken, output: Output) -> Result<(), Trouble> {
    let load = TokenLoad {
        program: this_program()?,
        own_words: SIGN_ALONE,
        algorithm: asked.alg,
        connections: asked.connections,
        slices: asked.slices,
        slice: Duration::from_secs(asked.seconds.into()),
    };
    warn_of_debug_builds(output);
    match asked.pace() {
        None => closed(&load, output),
        Some(pace) => open(&load, pace, asked.seed, output),
    }
}

fn closed(load: &TokenLoad, output: Output) -> Result<(), Trouble> {
    output.note(&format!(
        "{} tokens over {} connections, about {} s; a state of its own is set up first",
        load.algorithm.name(),
        load.connections,
        seconds(load, 2)
    ));
    output.note(&gatepost_bench::measured_again());
    let row = gatepost_bench::token(load, &|told| output.note(told)).map_err(|why| not_measured(&why))?;
    if output.is_json() {
        return output.document(&row);
    }
    output.text(&chart::of_tokens(&row))
}

fn open(load: &TokenLoad, pace: Pace, seed: u64, output: Output) -> Result<(), Trouble> {
    output.note(&format!(
        "{} tokens as they are due, arrivals of seed {seed}, about {} s; a state of its own is set up first",
        load.algorithm.name(),
        seconds(load, 3)
    ));
    let offered = gatepost_bench::token_as_due(load, pace, seed, &|told| output.note(told))
        .map_err(|why| not_measured(&why))?;
    if output.is_json() {
        return output.document(&offered);
    }
    output.text(&chart::of_offered(&offered))
}

/// How long the turns take together, and the setting up.
fn seconds(load: &TokenLoad, turns: u64) -> u64 {
    load.slice.as_secs().saturating_mul(u64::from(load.slices)).saturating_mul(turns).saturating_add(10)
}

fn verify(asked: BenchVerify, output: Output) -> Result<(), Trouble> {
    let BenchVerify { alg, tokens, slices, milliseconds } = asked;
    let algorithms = if alg.is_empty() { Subject::value_variants().to_vec() } else { alg };
    let load = VerifyAll {
        algorithms,
        tokens: usize::try_from(tokens).unwrap_or(usize::MAX),
        slices,
        slice: Duration::from_millis(milliseconds.into()),
    };
    output.note("guarded calls in this process; tokens are signed first, which takes some seconds with RSA");
    warn_of_debug_builds(output);
    let rows = gatepost_bench::verify(&load, &|told| output.note(told)).map_err(|why| not_measured(&why))?;
    if output.is_json() {
        return output.document(&rows);
    }
    output.text(&rows.iter().map(chart::of_calls).collect::<Vec<_>>().join("\n"))
}

fn warn_of_debug_builds(output: Output) {
    if cfg!(debug_assertions) {
        output.warn("this is a debug build; its figures say nothing about a release build");
    }
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
        fix: why.mend().unwrap_or(REPEAT).to_owned(),
    }
}
