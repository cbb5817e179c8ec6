//! This folder is where grants are, one a file: what an authenticated client may have.

pub mod client_credentials;

use std::sync::Arc;

use crate::apis::ApiWithScopes;
use crate::clients::ClientRecord;
use crate::scope::Scopes;
use crate::time::Lifetime;

/// What may be put into a token: the outcome of every grant.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who gets it.
    pub client: Arc<ClientRecord>,
    /// For which API.
    pub api: Arc<ApiWithScopes>,
    /// With which scopes.
    pub scopes: Scopes,
    /// Whether the scopes differ from what was asked for, so that the answer must name them (RFC 6749 section 5.1).
    pub scopes_differ: bool,
    /// For how long.
    pub lifetime: Lifetime,
}
