//! This file is where the commands about clients are described.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::spans::lifetime;

const AUTH_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "any"];

/// The programs of partners.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Register a client; its secret is printed, this once
    Create(ClientCreate),
    /// List all clients, or those of a partner
    List {
        /// The partner's UUID or slug
        #[arg(long)]
        partner: Option<String>,
    },
    /// Show a client
    Show {
        /// Its client id
        client: String,
    },
    /// Change a client; lists are replaced whole
    Update(ClientUpdate),
    /// Stop a client from getting tokens
    Suspend {
        /// Its client id
        client: String,
    },
    /// Let a suspended client get tokens again
    Resume {
        /// Its client id
        client: String,
    },
    /// Delete a client with its secrets
    Delete {
        /// Its client id
        client: String,
    },
}

/// What a new client is.
#[derive(Debug, Args)]
pub(crate) struct ClientCreate {
    /// Whose it is: the partner's UUID or slug
    #[arg(long)]
    pub(crate) partner: String,
    /// What people call it
    #[arg(long)]
    pub(crate) name: String,
    /// An API it may get tokens for; the first is its default [default: default]
    #[arg(long = "api", value_name = "API")]
    pub(crate) apis: Vec<String>,
    /// A scope it is granted; once for each
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// A scope that a request without `scope` gets [default: all that are granted]
    #[arg(long = "default-scope", value_name = "SCOPE")]
    pub(crate) default_scopes: Vec<String>,
    /// A request without `scope` gets none
    #[arg(long, conflicts_with = "default_scopes")]
    pub(crate) no_default_scope: bool,
    /// The service user it had elsewhere; a new one is made when left out
    #[arg(long, value_name = "UUID")]
    pub(crate) user_id: Option<Uuid>,
    /// Mark its tokens as test tokens
    #[arg(long)]
    pub(crate) test: bool,
    /// How long its tokens live, for example 1h [default: the setting tokens.lifetime]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(crate) lifetime: Option<u32>,
    /// A network it may come from, for example 203.0.113.0/24 [default: any]
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow: Vec<String>,
    /// The only authentication method it may use
    #[arg(long, value_name = "METHOD", value_parser = AUTH_METHODS)]
    pub(crate) auth_method: Option<String>,
}

/// What is to change of a client.
#[derive(Debug, Args)]
pub(crate) struct ClientUpdate {
    /// Its client id
    pub(crate) client: String,
    /// What people call it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// An API it may get tokens for; the first is its default
    #[arg(long = "api", value_name = "API")]
    pub(crate) apis: Vec<String>,
    /// A scope it is granted; once for each
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Take all scopes away
    #[arg(long, conflicts_with = "scopes")]
    pub(crate) no_scope: bool,
    /// A scope that a request without `scope` gets
    #[arg(long = "default-scope", value_name = "SCOPE")]
    pub(crate) default_scopes: Vec<String>,
    /// A request without `scope` gets none
    #[arg(long, conflicts_with_all = ["default_scopes", "all_default_scopes"])]
    pub(crate) no_default_scope: bool,
    /// A request without `scope` gets all that are granted
    #[arg(long, conflicts_with = "default_scopes")]
    pub(crate) all_default_scopes: bool,
    /// How long its tokens live, for example 1h
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(crate) lifetime: Option<u32>,
    /// A network it may come from, for example 203.0.113.0/24
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow: Vec<String>,
    /// It may come from anywhere
    #[arg(long, conflicts_with = "allow")]
    pub(crate) allow_any: bool,
    /// The only authentication method it may use
    #[arg(long, value_name = "METHOD", value_parser = AUTH_METHODS)]
    pub(crate) auth_method: Option<String>,
}
