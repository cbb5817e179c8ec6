//! This file is where the commands about partners are described.

use clap::Subcommand;
use uuid::Uuid;

/// The companies that may call your APIs.
#[derive(Debug, Subcommand)]
pub(crate) enum PartnerCommand {
    /// Register a partner
    Create {
        /// What people call it, for example "Acme Ltd"
        name: String,
        /// The id it had elsewhere; a new one is made when left out
        #[arg(long, value_name = "UUID")]
        id: Option<Uuid>,
    },
    /// List all partners
    List,
    /// Show a partner
    Show {
        /// Its UUID or slug
        partner: String,
    },
    /// Give a partner another name
    Update {
        /// Its UUID or slug
        partner: String,
        /// The new name
        #[arg(long)]
        name: String,
    },
    /// Stop a partner's clients from getting tokens, and end those that they have
    Suspend {
        /// Its UUID or slug
        partner: String,
    },
    /// Let a suspended partner's clients get tokens again
    Resume {
        /// Its UUID or slug
        partner: String,
    },
    /// Delete a partner that has no clients
    Delete {
        /// Its UUID or slug
        partner: String,
    },
}
