//! This file is where the commands about secrets are described.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::spans::{Until, span, until};

/// The secrets that clients authenticate with.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Add a secret to a client; it is printed, this once
    Add {
        /// The client's id
        client: String,
        /// What people call it
        #[arg(long)]
        label: Option<String>,
        #[command(flatten)]
        term: SecretTerm,
    },
    /// Add a secret and let every other one end after an overlap; the new one is printed, this once
    Roll {
        /// The client's id
        client: String,
        /// How long the others are still accepted once the new one is, at most
        #[arg(long, value_name = "TIME", value_parser = span, default_value = "24h")]
        overlap: Duration,
        #[command(flatten)]
        term: SecretTerm,
    },
    /// List the secrets of a client and when each was used last, never the secrets themselves
    List {
        /// The client's id
        client: String,
    },
    /// End a secret now; one that was used within 24 hours only when that is confirmed
    End(SecretEnd),
    /// Check offline whether a text is a whole secret; read from standard input, exit code 8 when it is none
    Lint {
        /// Read the secret from this file instead
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Print a rule by which scanners find leaked secrets
    Pattern {
        /// Whose rule it is
        #[arg(long, value_enum, default_value = "regex")]
        format: PatternFormat,
    },
}

/// When a secret is accepted.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct SecretTerm {
    /// From when on it is accepted: 30d, 24h or an instant like 2027-01-31T00:00:00Z [default: at once]
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(crate) not_before: Option<Until>,
    /// When it stops being accepted: 30d, 24h or an instant like 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(crate) expires: Option<Until>,
}

/// Ending a secret.
#[derive(Debug, Args)]
pub(crate) struct SecretEnd {
    /// The client's id
    pub(crate) client: String,
    /// The secret's id, as the list prints it
    pub(crate) secret: Uuid,
    /// End all tokens that the client has got so far too: no token tells which secret it came from
    #[arg(long)]
    pub(crate) kill_tokens: bool,
    /// End it without asking, and even if it is the last one that the client can use
    #[arg(long)]
    pub(crate) force: bool,
}

/// The programs that look for leaked secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PatternFormat {
    /// A regular expression
    Regex,
    /// A rule for the configuration of gitleaks
    Gitleaks,
    /// A detector for the configuration of TruffleHog
    Trufflehog,
}
