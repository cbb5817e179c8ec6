//! This file is where the commands that measure this machine are described.

use clap::{Args, Subcommand};
use gatepost_bench::{RawArguments, Subject};

/// Measuring this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Tokens a second, beside what this machine can sign at all; on a state of its own, yours is not touched
    Token(BenchToken),
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
    /// Connections that each keep one request under way
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    pub(crate) connections: u16,
    /// How often signing alone and the server take turns; the figures are medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50), value_name = "N")]
    pub(crate) slices: u16,
    /// How long each turn is, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=120), value_name = "N")]
    pub(crate) seconds: u16,
}
