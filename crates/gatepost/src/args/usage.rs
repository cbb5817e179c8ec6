//! This file is where the commands about usage are described.

use clap::Subcommand;

/// What clients did, by the hour.
#[derive(Debug, Subcommand)]
pub(crate) enum UsageCommand {
    /// Show the tokens that a client got, and its refusals, by the hour
    Show {
        /// The client's id
        client: String,
        /// How many hours back, the present one included
        #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=9_600))]
        hours: u32,
    },
    /// List the clients that got the most tokens
    Top {
        /// How many hours back, the present one included
        #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=9_600))]
        hours: u32,
        /// How many clients at most
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
}
