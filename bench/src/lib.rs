//! This crate is where the speed of a real `gatepost serve` is measured, as docs/reference/performance.md describes.

mod answer;
mod arguments;
mod arrivals;
mod assertions;
mod bare;
mod calls;
mod chance;
mod closed_loop;
mod command;
mod connection;
mod contest;
mod crowd;
mod failure;
mod footprint;
mod gatepost;
mod growth;
mod guarded;
mod histogram;
mod jti;
mod load;
mod offered;
mod open_loop;
mod over_hyper;
mod overload;
mod pairs;
mod parent;
mod peers;
mod primes;
mod prober;
mod processor;
mod progress;
mod raw;
mod report;
mod seeded;
mod stage;
mod startup;
mod statistics;
mod stored;
mod subject;
mod throughput;
mod token_load;
mod tokens;
mod wire;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command, Measurement, Plan};
use failure::Outcome;
use gatepost::Installation;
use progress::Progress;
use report::Report;

pub use arguments::RawArguments;
pub use command::{VerifyAll, measured_again, sign_alone, token, token_as_due, verify};
pub use failure::Failure;
pub use guarded::Guarded;
pub use histogram::{Bar, Histogram};
pub use offered::{Offered, Pace, Round};
pub use processor::Placement;
pub use statistics::{Latency, Quartiles};
pub use subject::Subject;
pub use throughput::Row;
pub use token_load::TokenLoad;

/// The harness as a program of its own.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Raw(asked)) => raw::run(asked),
        Some(Command::Bare(asked)) => bare::run(asked),
        None => measure(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "gatepost-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the measurements that were asked for, one after the other, on one thread; the prober has its own.
fn measure(arguments: &Arguments) -> Outcome<()> {
    let runtime = generators_runtime()?;
    let plan = arguments.plan();
    let mut report = Report::new(arguments)?;
    let progress = Progress::begin(arguments, &plan);
    let installation = Installation::new(&arguments.gatepost)?;

    if progress.begins(arguments, Measurement::Startup) {
        let found = runtime.block_on(startup::measure(&installation, plan.starts))?;
        report.one("startup", &found)?;
    }
    if progress.begins(arguments, Measurement::Memory) {
        let found = runtime.block_on(footprint::measure(&installation, plan.idle))?;
        report.one("footprint", &found)?;
    }
    if progress.begins(arguments, Measurement::Pairs) {
        let found = runtime.block_on(pairs::measure(&installation, plan.pairs, arguments.seed))?;
        report.one("pairs", &found)?;
    }
    if progress.begins(arguments, Measurement::Throughput) {
        let figures = Some(arguments.figures.as_path());
        let mut bench = throughput::Bench::new(&installation, &plan, figures, &progress::tell);
        for subject in arguments.subjects() {
            let each = |row| report.row("throughput", &row);
            runtime.block_on(bench.measure(subject, &arguments.connections, each))?;
        }
    }
    if progress.begins(arguments, Measurement::Overload) {
        for load in overload::Load::ALL {
            let found = runtime.block_on(overload::measure(&installation, &plan, load, arguments.seed))?;
            report.row("overload", &found)?;
        }
    }
    if progress.begins(arguments, Measurement::Growth) {
        let found = runtime.block_on(growth::measure(&installation, arguments.growth()))?;
        report.one("growth", &found)?;
    }
    if progress.begins(arguments, Measurement::Assertions) {
        let found = runtime.block_on(assertions::measure(&installation, arguments.assertions()))?;
        report.one("assertions", &found)?;
    }
    if progress.begins(arguments, Measurement::Peers) {
        // A state of its own: the measurements above have made APIs of the same names.
        let installation = Installation::new(&arguments.gatepost)?;
        let target = arguments.figures.with_file_name("peers");
        let places = contest::Places { sources: &arguments.peers, target: &target };
        for subject in [(Subject::Rsa4096, 4096), (Subject::Rsa2048, 2048)] {
            let contest = contest::measure(&installation, &plan, subject, &arguments.connections, places);
            runtime.block_on(contest)?.iter().try_for_each(|standing| report.row("peers", standing))?;
        }
    }
    if progress.begins(arguments, Measurement::Primes) {
        report.one("primes", &runtime.block_on(primes::measure(&installation, &plan))?)?;
    }
    if progress.begins(arguments, Measurement::Guard) {
        report.one("guarded", &guarded_calls(arguments, &plan)?)?;
    }
    runtime.block_on(on_one_core((arguments, &plan), &progress, &installation, &mut report))?;
    report.finish()
}

/// Calls of one thread with tokens of the longest key.
fn guarded_calls(arguments: &Arguments, plan: &Plan) -> Outcome<Guarded> {
    let load = guarded::VerifyLoad {
        algorithm: Subject::Rsa4096,
        threads: 1,
        slices: plan.slices,
        slice: plan.slice.min(guarded::LONG_ENOUGH),
    };
    let calls = calls::Calls::sign(load.algorithm, if arguments.quick { 100 } else { 10_000 })?;
    load.measure(&calls, &|_| ())
}

/// What is measured with the server on one core; the signature must be cheap for the rest to show.
async fn on_one_core(
    (arguments, plan): (&Arguments, &Plan),
    progress: &Progress,
    installation: &Installation,
    report: &mut Report,
) -> Outcome<()> {
    if progress.begins(arguments, Measurement::Hyper) {
        let cheap = |subject: &Subject| matches!(subject, Subject::Es256 | Subject::Eddsa);
        for subject in arguments.subjects().into_iter().filter(cheap) {
            report.row("over_hyper", &over_hyper::tokens(installation, plan, subject).await?)?;
        }
    }
    if progress.begins(arguments, Measurement::ForwardAuth) {
        report.row("over_hyper", &over_hyper::forward_auth(installation, plan).await?)?;
    }
    if progress.begins(arguments, Measurement::Clients) {
        report.one("crowd", &crowd::measure(arguments, plan).await?)?;
    }
    Ok(())
}

/// One thread for all connections: the generator must stay light.
fn generators_runtime() -> Outcome<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|why| Failure::new("the generator's runtime did not start", why))
}
