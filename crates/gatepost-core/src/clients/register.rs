//! This file is where clients come to be, and what a client may not be.

use super::methods::Method;
use super::{Client, UngrantedScope};
use crate::apis::ApiWithScopes;
use crate::change::Change;
use crate::grants::name::GrantType;
use crate::ids::{ApiId, ClientId, PartnerId, UserId};
use crate::name::Name;
use crate::partners::{HasExpired, Status};
use crate::scope::{Scope, Scopes};
use crate::time::{Lifetime, Timestamp};

/// Why a client can't be as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadClient {
    /// Its tokens would be for nobody.
    #[error("a client needs an API")]
    NoApi,
    /// A scope that none of its APIs has.
    #[error("none of the client's APIs has the scope `{}`", .0.as_str())]
    ScopeUnknown(Scope),
    /// A scope that requests would get by default although the client may not have it.
    #[error("the default scope `{}` is not granted to the client", .0.as_str())]
    DefaultNotGranted(Scope),
    /// Tokens that would live longer than any may.
    #[error("a lifetime of {} s is over the limit of {} s", asked.seconds(), longest.seconds())]
    TooLong {
        /// The life that was asked for.
        asked: Lifetime,
        /// The longest that is allowed.
        longest: Lifetime,
    },
}

/// What is asked for when a client is registered or changed.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Whose it is.
    pub partner_id: PartnerId,
    /// The service user it acts as.
    pub user_id: UserId,
    /// What people call it.
    pub name: Name,
    /// Whether its tokens are marked as test tokens.
    pub is_test: bool,
    /// The scopes it is granted.
    pub scopes: Scopes,
    /// What a request without `scope` gets; all its scopes when `None`.
    pub default_scopes: Option<Scopes>,
    /// How long its tokens live.
    pub lifetime: Lifetime,
    /// The addresses it may come from; any when empty.
    pub allow: Vec<ipnet::IpNet>,
    /// The only authentication method it may use.
    pub auth_method: Option<Method>,
    /// From when on it may no longer get tokens.
    pub expires: Option<Timestamp>,
}

/// A new client of `apis` (the first is its default), with the longest life that `longest` allows.
pub fn register(
    id: ClientId,
    new: NewClient,
    apis: &[&ApiWithScopes],
    longest: Lifetime,
    now: Timestamp,
) -> Result<Client, BadClient> {
    let client = Client {
        id,
        partner_id: new.partner_id,
        user_id: new.user_id,
        name: new.name,
        is_test: new.is_test,
        apis: apis.iter().map(|known| known.api.id).collect::<Vec<ApiId>>(),
        scopes: new.scopes,
        default_scopes: new.default_scopes,
        ungranted_scope: UngrantedScope::Refused,
        lifetime: new.lifetime,
        allow: new.allow,
        auth_method: new.auth_method,
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: new.expires,
        created: now,
        version: 1,
    };
    client.check(apis, longest)?;
    Ok(client)
}

/// Stops the client; `None` if it is suspended already.
pub fn suspend(client: &Client) -> Option<Change> {
    (client.status != Status::Suspended).then(|| with_status(client, Status::Suspended))
}

/// Lets the client get tokens again; `None` if it may. One that has expired needs a later expiry instead.
pub fn resume(client: &Client, now: Timestamp) -> Result<Option<Change>, HasExpired> {
    match client.status.resumed(client.expires, now)? {
        Some(status) => Ok(Some(with_status(client, status))),
        None => Ok(None),
    }
}

/// Writes down that the client has expired; `None` unless that is due.
pub fn expire(client: &Client, now: Timestamp) -> Option<Change> {
    let expired = || Change::ClientExpired(Client { status: Status::Expired, ..client.clone() });
    client.status.is_to_expire(client.expires, now).then(expired)
}

fn with_status(client: &Client, status: Status) -> Change {
    Change::ClientUpdated(Client { status, ..client.clone() })
}

impl Client {
    /// The client with another expiry; one that had expired lives again, but for its tokens.
    #[must_use]
    pub fn expiring(self, expires: Option<Timestamp>) -> Self {
        Self { status: self.status.with_new_expiry(), expires, ..self }
    }

    /// Holds a changed client to the rules of registration.
    pub fn check(&self, apis: &[&ApiWithScopes], longest: Lifetime) -> Result<(), BadClient> {
        if apis.is_empty() {
            return Err(BadClient::NoApi);
        }
        let known: Scopes =
            apis.iter().flat_map(|api| api.scopes.iter().map(|scope| scope.name.clone())).collect();
        if let Some(scope) = self.scopes.first_outside(&known) {
            return Err(BadClient::ScopeUnknown(scope.clone()));
        }
        let beyond = self.default_scopes.as_ref().and_then(|default| default.first_outside(&self.scopes));
        if let Some(scope) = beyond {
            return Err(BadClient::DefaultNotGranted(scope.clone()));
        }
        if self.lifetime > longest {
            return Err(BadClient::TooLong { asked: self.lifetime, longest });
        }
        Ok(())
    }
}
