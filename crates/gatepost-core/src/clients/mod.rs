//! This folder is where clients are: the programs of partners, the secrets they hold and how they prove who they are.

mod authenticate;
pub mod jwks_uri;
mod keys;
pub mod methods;
pub(crate) mod public_key;
mod register;
mod secrets;

pub use authenticate::{
    AuthenticatedClient, KnownClient, Source, UnusedAssertion, authenticate, authenticate_assertion,
};
pub use keys::{KeyConflict, MAX_KEYS, add_key, remove_key};
pub use methods::{Assertion, Credentials, Method, Presented};
pub use public_key::{AssertionKey, ClientKey, ClientKeyId, KeyMaterial};
pub use register::{BadClient, NewClient, expire, register, resume, suspend};
pub use secrets::{SecretConflict, add_secret, end_secret, roll_secret};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::grants::name::GrantType;
use crate::ids::{ApiId, PartnerId};
pub use crate::ids::{ClientId, UserId};
use crate::limits::ClientLimits;
use crate::name::Name;
use crate::partners::Status;
use crate::scope::Scopes;
pub use crate::secret::stored::{BadTerm, SecretId, SecretState, StoredSecret, Term};
use crate::time::{Lifetime, Timestamp};

/// What happens to a scope that exists but was not granted to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UngrantedScope {
    /// The request is refused with `invalid_scope`.
    #[default]
    Refused,
    /// The scope is left out without a word, as Passport does for clients with a scopes column.
    Dropped,
}

/// One program of a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// What it authenticates as.
    pub id: ClientId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// The service user it acts as.
    pub user_id: UserId,
    /// What people call it.
    pub name: Name,
    /// Whether its tokens are marked as test tokens.
    pub is_test: bool,
    /// The APIs it may get tokens for; the first is its default.
    pub apis: Vec<ApiId>,
    /// The scopes it was granted.
    pub scopes: Scopes,
    /// What a request without `scope` gets; all its scopes when `None`.
    pub default_scopes: Option<Scopes>,
    /// What happens to scopes it was not granted.
    pub ungranted_scope: UngrantedScope,
    /// How long its tokens live.
    pub lifetime: Lifetime,
    /// The addresses it may come from; any when empty.
    pub allow: Vec<IpNet>,
    /// The only authentication method it may use; any when `None`.
    pub auth_method: Option<Method>,
    /// The grants it may use.
    pub grant_types: Vec<GrantType>,
    /// Whether it may get tokens.
    pub status: Status,
    /// From when on it may no longer get tokens.
    pub expires: Option<Timestamp>,
    /// When it was registered.
    pub created: Timestamp,
    /// Counts its changes.
    pub version: i64,
}

impl Client {
    /// What a request without `scope` gets.
    pub fn scopes_by_default(&self) -> &Scopes {
        self.default_scopes.as_ref().unwrap_or(&self.scopes)
    }

    /// Whether a secret can prove it: not while it may prove itself by keys alone.
    pub fn may_use_secrets(&self) -> bool {
        self.auth_method != Some(Method::PrivateKeyJwt)
    }

    /// Where it stands at `now`, also before its expiry was written down.
    pub fn standing(&self, now: Timestamp) -> Status {
        self.status.at(self.expires, now)
    }

    /// Whether `changed` makes the client live on after an end that has passed without its being written down.
    pub fn is_revived_as(&self, changed: &Self, now: Timestamp) -> bool {
        self.status.is_to_expire(self.expires, now) && !changed.status.is_to_expire(changed.expires, now)
    }
}

/// A client with all that authentication needs to know: one look-up brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client.
    pub client: Client,
    /// The status of its partner.
    pub partner_status: Status,
    /// From when on its partner's clients may no longer get tokens.
    pub partner_expires: Option<Timestamp>,
    /// Its secrets that have not ended.
    pub secrets: Vec<StoredSecret>,
    /// Its public keys.
    pub keys: Vec<ClientKey>,
    /// What it is held to by itself.
    pub limits: ClientLimits,
}

impl ClientRecord {
    /// Where its partner stands at `now`.
    pub fn partner_standing(&self, now: Timestamp) -> Status {
        self.partner_status.at(self.partner_expires, now)
    }

    /// When it or its partner expires, whichever is first: no token may live longer.
    pub fn expires(&self) -> Option<Timestamp> {
        self.client.expires.into_iter().chain(self.partner_expires).min()
    }
}
