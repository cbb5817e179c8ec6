//! This folder is where grants are, one a file: what an authenticated client may have.

mod client_credentials;
pub(crate) mod name;

pub use name::GrantType;

use std::sync::Arc;

use crate::apis::ApiWithScopes;
use crate::clients::{AuthenticatedClient, ClientRecord};
use crate::params::{Door, Params, Value};
use crate::refusal::{Code, Refusal};
use crate::scope::Scopes;
use crate::time::{Lifetime, Timestamp};

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

/// The grant that a request asks for; each door has its own word for a request that names none.
pub fn asked(door: Door, params: &Params) -> Result<GrantType, Refusal> {
    let unsupported = || Code::UnsupportedGrantType.because("there is no such grant");
    match (params.find("grant_type"), door) {
        (Some(Value::Text(name)), _) => {
            GrantType::ALL.into_iter().find(|grant| grant.as_str() == name).ok_or_else(unsupported)
        }
        (_, Door::Origin) => Err(unsupported()),
        (None, Door::Standard) => Err(Code::InvalidRequest.because("no grant_type").about("grant_type")),
        (Some(_), Door::Standard) => {
            Err(Code::InvalidRequest.because("grant_type is not text").about("grant_type"))
        }
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// By which grant.
    pub grant: GrantType,
    /// Through which door.
    pub door: Door,
    /// With which parameters.
    pub params: &'a Params,
}

/// Decides what the client gets at `now`.
pub fn decide(
    wish: Wish<'_>,
    who: &AuthenticatedClient,
    apis: &[Arc<ApiWithScopes>],
    now: Timestamp,
) -> Result<Grant, Refusal> {
    match wish.grant {
        GrantType::ClientCredentials => client_credentials::decide(who, wish, apis, now),
    }
}
