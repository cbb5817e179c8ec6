//! This file is where the commands that measure this machine are described.

use clap::{Args, Subcommand};
use gatepost_bench::{Pace, RawArguments, Subject};

/// Measuring this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Tokens a second, beside what this machine can sign at all; on a state of its own, yours is not touched, and nothing
    /// is kept
    Token(BenchToken),
    /// Guarded calls a second, new tokens, forged ones and remembered ones; in this process, without a server
    Verify(BenchVerify),
    /// Signs alone; the measurement starts this program so
    #[command(hide = true)]
    Raw(RawArguments),
}

/// How tokens are measured.
#[derive(Debug, Args)]
pub(crate) struct BenchToken {
    /// What the tokens are signed with
    #[arg(long, value_enum, default_value = "rs256-4096", value_name = "ALG")]
    pub(crate) alg: Subject,
    /// Connections that each keep one request under way; with --load, those of the capacity
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    pub(crate) connections: u16,
    /// Ask for so many tokens a second, whether earlier ones were answered or not; arrivals are Poisson
    #[arg(long, conflicts_with = "load", value_parser = clap::value_parser!(u32).range(1..=200_000), value_name = "N")]
    pub(crate) rate: Option<u32>,
    /// The same at a share of the capacity, such as 0.8
    #[arg(long, value_parser = share, value_name = "SHARE")]
    pub(crate) load: Option<f64>,
    /// Decides the arrivals of --rate and --load
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// How often signing alone and the server take turns; the figures are medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50), value_name = "N")]
    pub(crate) slices: u16,
    /// How long each turn is, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=120), value_name = "N")]
    pub(crate) seconds: u16,
}

/// How guarded calls are measured.
#[derive(Debug, Args)]
pub(crate) struct BenchVerify {
    /// What the tokens are signed with; several with commas, all unless named
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ALG")]
    pub(crate) alg: Vec<Subject>,
    /// Different tokens
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=1_000_000), value_name = "N")]
    pub(crate) tokens: u32,
    /// How many turns each kind of call has; the figures are medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50), value_name = "N")]
    pub(crate) slices: u16,
    /// How long each turn is, in milliseconds
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=60_000), value_name = "N")]
    pub(crate) milliseconds: u32,
}

impl BenchToken {
    /// How requests come; none in a closed loop.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.rate.map(|rate| Pace::Rate(f64::from(rate))).or(self.load.map(Pace::Load))
    }
}

/// A share of the capacity; more than ten times of it only shows how the generator ends.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.01..=10.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("give a share from 0.01 to 10, such as 0.8".to_owned()),
    }
}
