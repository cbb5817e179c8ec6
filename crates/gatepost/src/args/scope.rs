//! This file is where the commands about scopes are described.

use clap::Subcommand;

/// The scopes of APIs.
#[derive(Debug, Subcommand)]
pub(crate) enum ScopeCommand {
    /// Add a scope to an API
    Create {
        /// The API's name
        #[arg(long)]
        api: String,
        /// The scope, for example bookings:create
        name: String,
        /// What a partner's developer reads about it
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
    },
    /// List the scopes of an API, or of all
    List {
        /// The API's name
        #[arg(long)]
        api: Option<String>,
    },
    /// Take a scope from an API; clients that have it get tokens without it
    Delete {
        /// The API's name
        #[arg(long)]
        api: String,
        /// The scope
        name: String,
    },
}
