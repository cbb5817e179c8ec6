//! This file is where a token that was issued stands with what its answer says.

use gatepost_core::clients::ClientId;
use gatepost_core::limits::Allowance;
use gatepost_core::scope::Scopes;

/// A token for the one who asked.
pub struct IssuedToken {
    /// The token itself.
    pub access_token: String,
    /// How long it is valid, in seconds.
    pub expires_in: u32,
    /// Its scopes.
    pub scopes: Scopes,
    /// Whether the scopes differ from what was asked for.
    pub scopes_differ: bool,
    /// Who got it.
    pub client_id: ClientId,
    /// Its id, for logs.
    pub jti: String,
    /// How its client stands with its limits; empty when it has none.
    pub limits: Vec<Allowance>,
}
