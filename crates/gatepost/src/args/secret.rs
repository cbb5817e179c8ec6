//! This file is where the commands about secrets are described.

use clap::Subcommand;
use uuid::Uuid;

use super::spans::{Until, until};

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
        /// When it stops being accepted: 30d, 24h or an instant like 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = until)]
        expires: Option<Until>,
    },
    /// List the secrets of a client, never the secrets themselves
    List {
        /// The client's id
        client: String,
    },
    /// End a secret now
    End {
        /// The client's id
        client: String,
        /// The secret's id, as the list prints it
        secret: Uuid,
        /// End it even if it is the last one that the client can use
        #[arg(long)]
        force: bool,
    },
}
