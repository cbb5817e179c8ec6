//! This file is where everything that an operator or the server may change is listed: the store applies these and nothing else.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::apis::{Api, ApiId, ApiScope};
use crate::clients::{Client, ClientId, SecretId, StoredSecret};
use crate::keys::{KeyOwner, StoredKey};
use crate::partners::{Partner, PartnerId};
use crate::scope::Scope;
use crate::time::Timestamp;

/// One change of audited state. Updates carry the version they were decided on; the store refuses them if it has moved on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A partner was registered.
    PartnerCreated(Partner),
    /// A partner was renamed, suspended or resumed.
    PartnerUpdated(Partner),
    /// A partner without clients was deleted.
    PartnerDeleted(PartnerId),
    /// An API was registered.
    ApiCreated(Api),
    /// An API was changed.
    ApiUpdated(Api),
    /// An API without clients was deleted, with its scopes and keys.
    ApiDeleted(ApiId),
    /// A scope was added to an API.
    ScopeCreated(ApiId, ApiScope),
    /// A scope was taken from an API; clients that have it keep the word without effect.
    ScopeDeleted(ApiId, Scope),
    /// A client was registered, with its first secret if it has one.
    ClientCreated {
        /// The client.
        client: Client,
        /// Its first secret.
        secret: Option<StoredSecret>,
    },
    /// A client was changed, suspended or resumed.
    ClientUpdated(Client),
    /// A client was deleted, with its secrets.
    ClientDeleted(ClientId),
    /// A client got one more secret.
    SecretAdded {
        /// The client.
        client: ClientId,
        /// The secret.
        secret: StoredSecret,
    },
    /// A secret was ended before its time.
    SecretEnded {
        /// The client.
        client: ClientId,
        /// The secret.
        secret: SecretId,
        /// From when on it is refused.
        at: Timestamp,
    },
    /// A key was made or imported.
    KeyAdded(StoredKey),
    /// The master key file that this state belongs to was taken into use.
    MasterKeyAdopted {
        /// The pepper that new secrets are tagged with.
        pepper: String,
        /// The tag of a known text under it: shows a wrong file before a secret is refused.
        check: Vec<u8>,
    },
}

/// A change with who made it and when: the only thing that the store applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedChange {
    /// What changes.
    pub change: Change,
    /// Who changes it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

impl Change {
    /// The change with its actor and time.
    pub fn by(self, actor: Actor, at: Timestamp) -> AuditedChange {
        AuditedChange { change: self, actor, at }
    }

    /// What happened, as audit lines name it: `noun.verb`.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::PartnerCreated(_) => "partner.created",
            Self::PartnerUpdated(_) => "partner.updated",
            Self::PartnerDeleted(_) => "partner.deleted",
            Self::ApiCreated(_) => "api.created",
            Self::ApiUpdated(_) => "api.updated",
            Self::ApiDeleted(_) => "api.deleted",
            Self::ScopeCreated(..) => "scope.created",
            Self::ScopeDeleted(..) => "scope.deleted",
            Self::ClientCreated { .. } => "client.created",
            Self::ClientUpdated(_) => "client.updated",
            Self::ClientDeleted(_) => "client.deleted",
            Self::SecretAdded { .. } => "secret.added",
            Self::SecretEnded { .. } => "secret.ended",
            Self::KeyAdded(_) => "key.added",
            Self::MasterKeyAdopted { .. } => "master_key.adopted",
        }
    }

    /// What it happened to: followers of the news drop what they hold about it.
    pub fn subject(&self) -> Subject {
        match self {
            Self::PartnerCreated(partner) | Self::PartnerUpdated(partner) => Subject::Partner(partner.id),
            Self::PartnerDeleted(id) => Subject::Partner(*id),
            Self::ApiCreated(api) | Self::ApiUpdated(api) => Subject::Api(api.id),
            Self::ApiDeleted(id) | Self::ScopeCreated(id, _) | Self::ScopeDeleted(id, _) => Subject::Api(*id),
            Self::ClientCreated { client, .. } | Self::ClientUpdated(client) => {
                Subject::Client(client.id.clone())
            }
            Self::ClientDeleted(id) => Subject::Client(id.clone()),
            Self::SecretAdded { client, .. } | Self::SecretEnded { client, .. } => {
                Subject::Client(client.clone())
            }
            Self::KeyAdded(key) => match key.owner {
                KeyOwner::Api(api) => Subject::Api(api),
                KeyOwner::Service => Subject::Server,
            },
            Self::MasterKeyAdopted { .. } => Subject::Server,
        }
    }

    /// What an auditor wants to know of it; never a secret, a tag or a private key.
    pub fn details(&self) -> Value {
        match self {
            Self::PartnerCreated(partner) | Self::PartnerUpdated(partner) => json!(partner),
            Self::ApiCreated(api) | Self::ApiUpdated(api) => json!(api),
            Self::PartnerDeleted(_) | Self::ApiDeleted(_) | Self::ClientDeleted(_) => json!({}),
            Self::ScopeCreated(_, scope) => json!(scope),
            Self::ScopeDeleted(_, scope) => json!({ "name": scope }),
            Self::ClientCreated { client, secret } => {
                json!({ "client": client, "secret_id": secret.as_ref().map(|secret| secret.id) })
            }
            Self::ClientUpdated(client) => json!(client),
            Self::SecretAdded { secret, .. } => {
                json!({ "secret_id": secret.id, "label": secret.label, "expires": secret.expires })
            }
            Self::SecretEnded { secret, at, .. } => json!({ "secret_id": secret, "at": at }),
            Self::KeyAdded(key) => {
                json!({ "kid": key.kid, "alg": key.algorithm, "state": key.state, "signs_from": key.signs_from })
            }
            Self::MasterKeyAdopted { pepper, .. } => json!({ "pepper": pepper }),
        }
    }
}

/// What a change happened to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A partner, and so every client of it.
    Partner(PartnerId),
    /// An API, its scopes and keys.
    Api(ApiId),
    /// A client and its secrets.
    Client(ClientId),
    /// The server itself.
    Server,
}

impl Subject {
    /// The noun, as the store keeps it.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Partner(_) => "partner",
            Self::Api(_) => "api",
            Self::Client(_) => "client",
            Self::Server => "server",
        }
    }

    /// The id, as the store keeps it.
    pub fn id(&self) -> String {
        match self {
            Self::Partner(id) => id.0.to_string(),
            Self::Api(id) => id.0.to_string(),
            Self::Client(id) => id.to_string(),
            Self::Server => String::new(),
        }
    }

    /// The subject that noun and id name; `None` for what this version does not know.
    pub fn parse(noun: &str, id: &str) -> Option<Self> {
        match noun {
            "partner" => id.parse().ok().map(PartnerId).map(Self::Partner),
            "api" => id.parse().ok().map(ApiId).map(Self::Api),
            "client" => ClientId::parse(id).map(Self::Client),
            "server" => Some(Self::Server),
            _ => None,
        }
    }
}
