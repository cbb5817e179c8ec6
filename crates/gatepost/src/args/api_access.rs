//! This file is where the commands about an API's secrets and route table are described.

use clap::Subcommand;
use uuid::Uuid;

use super::secret::SecretTerm;

/// The secrets by which an API asks about its tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiSecretCommand {
    /// Add a secret to an API; it is printed, this once
    Add {
        /// The API's name
        api: String,
        /// What people call it
        #[arg(long)]
        label: Option<String>,
        #[command(flatten)]
        term: SecretTerm,
    },
    /// List the secrets of an API, never the secrets themselves
    List {
        /// The API's name
        api: String,
    },
    /// End a secret of an API now
    End {
        /// The API's name
        api: String,
        /// The secret's id, as the list prints it
        secret: Uuid,
        /// End it even if it is the last one that the API can use
        #[arg(long)]
        force: bool,
    },
}

/// Which scopes the routes of an API need, for forward-auth.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiRouteCommand {
    /// Add a line to the table, in place of one for the same method and path
    Add {
        /// The API's name
        api: String,
        /// The method, for example GET, or * for any
        method: String,
        /// The path, for example /bookings/{id} or /files/*
        path: String,
        /// A scope that the route needs; once for each, all are needed
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
    /// List the table of an API
    List {
        /// The API's name
        api: String,
    },
    /// Take a line out of the table
    Remove {
        /// The API's name
        api: String,
        /// The method, as the list prints it
        method: String,
        /// The path, as the list prints it
        path: String,
    },
}
