//! This file is where the server's own command line asks for a measurement: the same method, one figure, on a state of
//! its own.

use std::path::PathBuf;
use std::time::Duration;

use crate::arguments::{Plan, RawArguments};
use crate::failure::{Failure, Outcome};
use crate::gatepost::Installation;
use crate::subject::Subject;
use crate::throughput::{Bench, Row};
use crate::{generators_runtime, raw};

/// Tokens as fast as this machine gives them.
#[derive(Debug, Clone)]
pub struct TokenLoad {
    /// The program under test; it also signs alone, when told so by `own_words`.
    pub program: PathBuf,
    /// How this program is told to sign alone.
    pub own_words: &'static [&'static str],
    /// What tokens are signed with.
    pub algorithm: Subject,
    /// Connections that each keep one request under way.
    pub connections: u16,
    /// Pairs of slices: signing alone, the server.
    pub slices: u16,
    /// How long a slice is.
    pub slice: Duration,
}

/// Measures on a state of its own, in a folder that is removed; `tell` hears how it goes on.
///
/// Where the generator was too heavy beside the server, the figure is the one with both apart.
///
/// # Errors
/// When the server does not start, or breaks under the load.
pub fn token(load: &TokenLoad, tell: &dyn Fn(&str)) -> Outcome<Row> {
    let installation = Installation::new(&load.program)?;
    let plan = load.plan();
    let figures = installation.folder().join("raw.json");
    let mut bench = Bench::new(&installation, &plan, &figures, tell);
    let mut last = None;
    generators_runtime()?.block_on(bench.measure(load.algorithm, &[load.connections], |row| {
        last = Some(row);
        Ok(())
    }))?;
    last.ok_or_else(|| Failure::new("the measurement", "it brought no figure"))
}

/// What the program does when it is told to sign alone: signatures a second on standard output.
///
/// # Errors
/// When the key can't be read or a signature fails.
pub fn sign_alone(asked: &RawArguments) -> Outcome<()> {
    raw::run(asked)
}

impl TokenLoad {
    fn plan(&self) -> Plan {
        Plan {
            own_words: self.own_words,
            slices: self.slices,
            slice: self.slice,
            warm_up: self.slice.min(Duration::from_secs(2)),
            starts: 0,
            idle: Duration::ZERO,
            pairs: 0,
            quick: false,
        }
    }
}
