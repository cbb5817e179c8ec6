//! This file is where the commands about partners are described.

use clap::Subcommand;
use uuid::Uuid;

use super::spans::{Expiry, expiry};

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
        /// When its clients get no more tokens and those that they have end: 90d, an instant like 2027-01-31T00:00:00Z, or never
        #[arg(long, value_name = "TIME", value_parser = expiry)]
        expires: Option<Expiry>,
    },
    /// List all partners
    List,
    /// Show a partner
    Show {
        /// Its UUID or slug
        partner: String,
    },
    /// Change a partner
    Update {
        /// Its UUID or slug
        partner: String,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// When its clients get no more tokens and those that they have end: 90d, an instant like 2027-01-31T00:00:00Z, or never
        #[arg(long, value_name = "TIME", value_parser = expiry)]
        expires: Option<Expiry>,
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
