//! This file is where the commands about limits are described.

use clap::{Args, Subcommand};
use gatepost_operations::core::limits::{LARGEST_QUOTA, LONGEST_WINDOW};

use super::spans::lifetime;

/// How much a client may take.
#[derive(Debug, Subcommand)]
pub(crate) enum LimitCommand {
    /// Show what a client is held to, where each limit comes from, and how much of the quotas is used
    Show {
        /// The client's id
        client: String,
    },
    /// Hold a client to limits of its own; those that are not named stay as they are
    Set(LimitSet),
    /// Take limits of a client away; all of them unless some are named
    Clear(LimitClear),
}

/// What a client is to be held to.
#[derive(Debug, Args)]
pub(crate) struct LimitSet {
    /// The client's id
    pub(crate) client: String,
    /// How often it may ask for a token, for example 100/min; 0 for no limit, whatever the settings say
    #[arg(long, value_name = "RATE")]
    pub(crate) tokens: Option<String>,
    /// How many tokens it gets in a day (UTC)
    #[arg(long, value_name = "N", value_parser = quota)]
    pub(crate) per_day: Option<u64>,
    /// How many tokens it gets in a calendar month (UTC)
    #[arg(long, value_name = "N", value_parser = quota)]
    pub(crate) per_month: Option<u64>,
    /// For how long it gets the token it has when it asks again, for example 5m; an hour at most
    #[arg(long, value_name = "TIME", value_parser = window)]
    pub(crate) replay_window: Option<u32>,
}

/// Which limits are to go.
#[derive(Debug, Args)]
pub(crate) struct LimitClear {
    /// The client's id
    pub(crate) client: String,
    /// How often it may ask
    #[arg(long)]
    pub(crate) tokens: bool,
    /// The quota of the day
    #[arg(long)]
    pub(crate) per_day: bool,
    /// The quota of the month
    #[arg(long)]
    pub(crate) per_month: bool,
    /// The window in which it gets the token it has
    #[arg(long)]
    pub(crate) replay_window: bool,
}

fn window(text: &str) -> Result<u32, String> {
    lifetime(text)
        .ok()
        .filter(|seconds| *seconds <= LONGEST_WINDOW)
        .ok_or_else(|| "give whole seconds up to an hour: 30s, 5m, 1h".to_owned())
}

fn quota(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|tokens| (1..=LARGEST_QUOTA).contains(tokens))
        .ok_or_else(|| format!("give a whole number from 1 to {LARGEST_QUOTA}"))
}
