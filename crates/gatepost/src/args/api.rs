//! This file is where the commands about APIs are described.

use clap::{Args, Subcommand};
use gatepost_operations::core::tokens::profile::{Sub, Timestamps};

use super::api_access::{ApiRouteCommand, ApiSecretCommand};

/// The APIs that tokens are for.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiCommand {
    /// Register an API with its first signing key
    Create(ApiCreate),
    /// List all APIs
    List,
    /// Show an API with its scopes
    Show {
        /// Its name
        api: String,
    },
    /// Change an API
    Update(ApiUpdate),
    /// Delete an API that no client uses, with its scopes and keys
    Delete {
        /// Its name
        api: String,
    },
    /// The secrets by which an API asks about its tokens
    #[command(subcommand)]
    Secret(ApiSecretCommand),
    /// Which scopes the routes of an API need, for forward-auth
    #[command(subcommand)]
    Route(ApiRouteCommand),
}

/// What a new API is.
#[derive(Debug, Args)]
pub(crate) struct ApiCreate {
    /// What commands call it, for example bookings
    pub(crate) name: String,
    /// What its tokens name as audience
    #[arg(long, value_name = "URL")]
    pub(crate) audience: String,
    /// The shape of its tokens [default: rfc9068]
    #[arg(long, value_parser = ["passport", "rfc9068"])]
    pub(crate) profile: Option<String>,
    /// The algorithm of its keys [default: RS256 for passport, ES256 for rfc9068]
    #[arg(long, value_parser = ["RS256", "PS256", "ES256", "EdDSA"], ignore_case = true)]
    pub(crate) alg: Option<String>,
    /// How long a key signs before the next one takes over: 90d, never, or default (keys.rotate_every).
    /// Where tokens name no key, the next one is only published
    #[arg(long, value_name = "SPAN")]
    pub(crate) rotate_every: Option<String>,
    /// What the passport profile may choose.
    #[command(flatten)]
    pub(crate) passport: PassportFlags,
}

/// What is to change of an API.
#[derive(Debug, Args)]
pub(crate) struct ApiUpdate {
    /// Its name
    pub(crate) api: String,
    /// What its tokens name as audience
    #[arg(long, value_name = "URL")]
    pub(crate) audience: Option<String>,
    /// How long a key signs before the next one takes over: 90d, never, or default (keys.rotate_every).
    /// Where tokens name no key, the next one is only published
    #[arg(long, value_name = "SPAN")]
    pub(crate) rotate_every: Option<String>,
    /// What the passport profile may choose.
    #[command(flatten)]
    pub(crate) passport: PassportFlags,
}

/// What an API of the passport profile may choose.
#[derive(Debug, Args)]
pub(crate) struct PassportFlags {
    /// Passport only: how dates are written [default: micros]
    #[arg(long, value_name = "FORM", value_parser = ["micros", "seconds"])]
    timestamps: Option<String>,
    /// Passport only: whether headers name the key [default: off]
    #[arg(long, value_parser = ["off", "on"])]
    kid: Option<String>,
    /// Passport only: what `sub` holds [default: empty]
    #[arg(long, value_parser = ["empty", "client_id"])]
    sub: Option<String>,
    /// Passport only: let integer client ids stand in `sub`, where a reader may take them for users
    #[arg(long)]
    pub(crate) allow_integer_sub: bool,
}

impl PassportFlags {
    /// How dates are written, if that was said.
    pub(crate) fn timestamps(&self) -> Option<Timestamps> {
        self.timestamps
            .as_deref()
            .map(|form| if form == "seconds" { Timestamps::Seconds } else { Timestamps::Micros })
    }

    /// Whether headers name the key, if that was said.
    pub(crate) fn kid(&self) -> Option<bool> {
        self.kid.as_deref().map(|switch| switch == "on")
    }

    /// What `sub` holds, if that was said.
    pub(crate) fn sub(&self) -> Option<Sub> {
        self.sub.as_deref().map(|content| if content == "client_id" { Sub::ClientId } else { Sub::Empty })
    }
}
