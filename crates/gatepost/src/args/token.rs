//! This file is where the commands about tokens are described.

use std::path::PathBuf;

use clap::Subcommand;

/// Get a token, look into one, verify one.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Get a token as a client does at the standard door; the secret is read from standard input
    Issue {
        /// The client's id
        #[arg(long)]
        client: String,
        /// A scope to ask for; once for each [default: the client's default scopes]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// The audience of the API to ask for [default: the client's default API]
        #[arg(long, value_name = "URL")]
        resource: Option<String>,
        /// Read the secret from this file instead
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Print what a token says, without verifying it; the token is read from standard input
    Inspect {
        /// Read the token from this file instead
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Verify a token with the keys of its API; exit code 8 when it is refused
    Verify {
        /// The API that the token must be for [default: any]
        #[arg(long)]
        api: Option<String>,
        /// Read the token from this file instead of standard input
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
}
