//! This file is where the commands about signing keys are described.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use gatepost_operations::jose::Primes;

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
    /// Publish the next key of an API; it signs when every reader can know it
    Rotate {
        /// The API's name [default: default]
        #[arg(long)]
        api: Option<String>,
        /// Make an RSA key of so many primes: 4 signs up to three times as fast, by processor [default: as many as the key that signs]
        #[arg(long, value_name = "2|4")]
        primes: Option<Primes>,
        /// Only say what would happen, and when
        #[arg(long)]
        dry_run: bool,
    },
    /// Let the published key of an API sign
    Promote {
        /// The API's name [default: default]
        #[arg(long)]
        api: Option<String>,
        /// Before its time too, though some readers may not know the key yet
        #[arg(long)]
        now: bool,
    },
    /// Take a key that signs no more out of the key set
    Retire {
        /// The key's thumbprint, or a beginning of it that is no other's
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Though tokens of it are still valid: they are refused from then on
        #[arg(long)]
        now: bool,
    },
    /// Revoke a key in an emergency: nothing that it signed is valid any more
    Revoke {
        /// The key's thumbprint, or a beginning of it that is no other's
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Publish a private key that was made elsewhere as the next key of an API; read from standard input
    Import {
        /// The API's name [default: default]
        #[arg(long)]
        api: Option<String>,
        /// Read the PEM from this file instead
        #[arg(long, value_name = "FILE")]
        pem_file: Option<PathBuf>,
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
    /// Seal every key under the newest wrapping key of the master key file; can be stopped and run again
    Rewrap {
        /// Put a new wrapping key into the file first; running servers read the file again
        #[arg(long)]
        new: bool,
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
