//! This file is where the commands about tokens are described.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Get a token, look into one, verify one, revoke.
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
    /// Revoke a token, or all that a client or partner has got so far; a token is read from standard input
    Revoke(RevokeTarget),
}

/// What is to be revoked.
#[derive(Debug, Args)]
pub(crate) struct RevokeTarget {
    /// End all tokens that this client has got so far
    #[arg(long, value_name = "ID", conflicts_with_all = ["partner", "token_file"])]
    pub(crate) client: Option<String>,
    /// End all tokens that this partner's clients have got so far: its UUID or slug
    #[arg(long, conflicts_with = "token_file")]
    pub(crate) partner: Option<String>,
    /// Read the token from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}
