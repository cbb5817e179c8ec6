//! This file is where the commands about clients are described.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::spans::{Expiry, expiry, lifetime};

const AUTH_METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "any"];

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
    /// Stop a client from getting tokens, and end those that it has
    Suspend {
        /// Its client id
        client: String,
    },
    /// Let a suspended client get tokens again
    Resume {
        /// Its client id
        client: String,
    },
    /// Delete a client with its secrets and keys
    Delete {
        /// Its client id
        client: String,
    },
    /// The public keys that a client signs assertions for (private_key_jwt)
    #[command(subcommand)]
    Key(ClientKeyCommand),
}

/// The public keys that a client signs assertions for.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientKeyCommand {
    /// Add a public key to a client, or the address where its keys are
    Add(ClientKeyAdd),
    /// List the keys of a client
    List {
        /// The client's id
        client: String,
    },
    /// Remove a key from a client
    Remove {
        /// The client's id
        client: String,
        /// The key's id, as the list prints it
        key: Uuid,
        /// Remove it even if it is the last thing that the client can authenticate with
        #[arg(long)]
        force: bool,
    },
}

/// A new key of a client.
#[derive(Debug, Args)]
pub(crate) struct ClientKeyAdd {
    /// The client's id
    pub(crate) client: String,
    /// Where the key is.
    #[command(flatten)]
    pub(crate) source: ClientKeySource,
    /// With a PEM file: what an RSA key is used with [default: RS256]
    #[arg(long, conflicts_with_all = ["jwk_file", "jwks_uri"], ignore_case = true,
          value_parser = ["RS256", "PS256", "ES256", "EdDSA"])]
    pub(crate) alg: Option<String>,
}

/// Where a new key of a client is: exactly one place.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ClientKeySource {
    /// In this PEM file: BEGIN PUBLIC KEY, RSA or not
    #[arg(long, value_name = "FILE")]
    pub(crate) pem_file: Option<PathBuf>,
    /// In this file, as one JSON Web Key
    #[arg(long, value_name = "FILE")]
    pub(crate) jwk_file: Option<PathBuf>,
    /// In the key set at this https address, which the client keeps up to date
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,
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
    /// A network it may come from, for example 203.0.113.0/24; once for each [default: any]
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow: Vec<String>,
    /// The only authentication method it may use
    #[arg(long, value_name = "METHOD", value_parser = AUTH_METHODS)]
    pub(crate) auth_method: Option<String>,
    /// When it gets no more tokens and those that it has end: 90d, an instant like 2027-01-31T00:00:00Z, or never
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    pub(crate) expires: Option<Expiry>,
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
    /// A network it may come from, for example 203.0.113.0/24; once for each
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow: Vec<String>,
    /// It may come from anywhere
    #[arg(long, conflicts_with = "allow")]
    pub(crate) allow_any: bool,
    /// The only authentication method it may use
    #[arg(long, value_name = "METHOD", value_parser = AUTH_METHODS)]
    pub(crate) auth_method: Option<String>,
    /// When it gets no more tokens and those that it has end: 90d, an instant like 2027-01-31T00:00:00Z, or never
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    pub(crate) expires: Option<Expiry>,
}
