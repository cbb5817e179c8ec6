//! This folder is where clients are: the programs of partners, the secrets they hold and how they prove who they are.

mod authenticate;
pub mod jwks_uri;
mod keys;
pub mod methods;
mod register;
mod secrets;

pub use authenticate::{
    AuthenticatedClient, KnownClient, Source, UnusedAssertion, authenticate, authenticate_assertion,
};
pub use keys::{
    AssertionKey, ClientKey, ClientKeyId, KeyConflict, KeyMaterial, MAX_KEYS, add_key, remove_key,
};
pub use methods::{Assertion, Credentials, Method, Presented};
pub use register::{BadClient, NewClient, expire, register, resume, suspend};
pub use secrets::{
    BadTerm, SecretConflict, SecretId, SecretState, StoredSecret, Term, add_secret, end_secret, roll_secret,
};

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::apis::ApiId;
use crate::grants::GrantType;
use crate::limits::ClientLimits;
use crate::name::Name;
use crate::partners::{PartnerId, Status};
use crate::scope::Scopes;
use crate::time::{Lifetime, Timestamp};

/// What a client is known by: a UUID made here, or what an import brought (1 to 64 visible ASCII characters).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(Box<str>);

impl ClientId {
    /// The id made of a UUID.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.hyphenated().to_string().into())
    }

    /// Accepts an id as presented; `None` for text that can't be the id of any client.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        fits.then(|| Self(text.into()))
    }

    /// The id as tokens name it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a plain integer, which a resource server might take for the id of a user.
    pub fn is_integer(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The service user that a client acts as (`user_id` in tokens).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

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
