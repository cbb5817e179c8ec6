//! This file is where the commands about signing keys are described.

use clap::{Subcommand, ValueEnum};

/// The keys that sign tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys of an API
    List {
        /// The API's name [default: default]
        #[arg(long)]
        api: Option<String>,
        /// List the keys of every API and the server's own
        #[arg(long, conflicts_with = "api")]
        all: bool,
    },
    /// Print the public half of the key that signs for an API
    ExportPublic {
        /// The API's name [default: default]
        #[arg(long)]
        api: Option<String>,
        /// The form it is printed in
        #[arg(long, value_enum, default_value = "pem")]
        format: KeyFormat,
    },
}

/// The forms of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyFormat {
    /// SubjectPublicKeyInfo as PEM
    Pem,
    /// JSON Web Key (RFC 7517)
    Jwk,
}
