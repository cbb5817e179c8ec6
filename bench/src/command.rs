//! This file is where the server's own command line asks for a measurement: the same method, one figure, on a state of
//! its own.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::RawArguments;
use crate::calls::Calls;
use crate::failure::{Failure, Outcome};
use crate::gatepost::Installation;
use crate::guarded::{Guarded, VerifyLoad};
use crate::offered::{self, Offered, Pace};
use crate::processor::{cores, parted};
use crate::subject::Subject;
use crate::throughput::{Bench, Row};
use crate::token_load::TokenLoad;
use crate::{generators_runtime, raw};

/// Guarded calls, as fast as this machine gives them.
#[derive(Debug, Clone)]
pub struct VerifyAll {
    /// What tokens are signed with, one after the other.
    pub algorithms: Vec<Subject>,
    /// Different tokens of each; at least two.
    pub tokens: usize,
    /// Turns of each kind of call.
    pub slices: u16,
    /// How long a turn is.
    pub slice: Duration,
}

/// Measures on a state of its own, in a folder that is removed; `tell` hears how it goes on.
///
/// Where the generator was too heavy beside the server, the figure is the one with both apart.
///
/// # Errors
/// When the server does not start, or breaks under the load, or a signal comes.
pub fn token(load: &TokenLoad, tell: &dyn Fn(&str)) -> Outcome<Row> {
    generators_runtime()?.block_on(unless_stopped(async {
        let installation = Installation::new(&load.program)?;
        let plan = load.plan();
        let mut bench = Bench::new(&installation, &plan, None, tell);
        let mut last = None;
        let each = |row| {
            last = Some(row);
            Ok(())
        };
        bench.measure(load.algorithm, &[load.connections], each).await?;
        last.ok_or_else(|| Failure::new("the measurement", "it brought no figure"))
    }))
}

/// What comes on top of [`token`] when the generator was too heavy beside the server, for whoever waits.
#[must_use]
pub fn measured_again() -> String {
    let heavy = "if the load takes more than 3 % of the machine";
    match parted() {
        Ok(parted) => format!("as long again {heavy}, then with {parted}"),
        Err(why) => format!("no figure {heavy}, for it can't be kept off the server's core here: {why}"),
    }
}

/// The same with requests that come when they are due, whether others were answered or not.
///
/// # Errors
/// As [`token`].
pub fn token_as_due(load: &TokenLoad, pace: Pace, seed: u64, tell: &dyn Fn(&str)) -> Outcome<Offered> {
    generators_runtime()?.block_on(unless_stopped(async {
        let installation = Installation::new(&load.program)?;
        offered::measure(&installation, load, pace, seed, tell).await
    }))
}

/// Each algorithm on one thread, and on all cores where there are more; in this process, so nothing is left behind
/// whenever it ends.
///
/// # Errors
/// When no key can be made, or a guard judges a token wrongly.
pub fn verify(asked: &VerifyAll, tell: &dyn Fn(&str)) -> Outcome<Vec<Guarded>> {
    let mut rows = Vec::new();
    for &algorithm in &asked.algorithms {
        tell(&format!("{}: signing {} tokens", algorithm.name(), asked.tokens));
        let calls = Calls::sign(algorithm, asked.tokens)?;
        for threads in [1, cores()].into_iter().take(cores().min(2)) {
            let load = VerifyLoad { algorithm, threads, slices: asked.slices, slice: asked.slice };
            rows.push(load.measure(&calls, tell)?);
        }
    }
    Ok(rows)
}

/// Work that a signal ends as a failure does, so that children and folders go with it.
async fn unless_stopped<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let listen = |kind| signal(kind).map_err(|why| Failure::new("the signals of this process", why));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    // A terminal that is closed, and its Ctrl-\.
    let (mut hangup, mut quit) = (listen(SignalKind::hangup())?, listen(SignalKind::quit())?);
    let mut stop = std::pin::pin!(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hangup.recv() => (),
            _ = quit.recv() => (),
        }
    });
    let done = tokio::select! {
        biased;
        () = &mut stop => return Err(stopped()),
        done = work => done,
    };
    // A terminal interrupts the children too, and one that broke off for that may be heard of first.
    if done.is_err() && tokio::time::timeout(Duration::from_millis(100), stop).await.is_ok() {
        return Err(stopped());
    }
    done
}

fn stopped() -> Failure {
    Failure::new("the measurement", "it was stopped by a signal; nothing is left of it")
}

/// What the program does when it is told to sign alone: signatures a second on standard output.
///
/// # Errors
/// When the key can't be read or a signature fails.
pub fn sign_alone(asked: &RawArguments) -> Outcome<()> {
    raw::run(asked)
}
