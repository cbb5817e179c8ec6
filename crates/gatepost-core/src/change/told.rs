//! This file is where a change is told as audit lines and the news tell it: what happened, to what, and the details.

use serde_json::{Value, json};

use super::Change;
use crate::ids::{ApiId, ClientId, PartnerId};
use crate::keys::{KeyOwner, KeyState, StoredKey};

impl Change {
    /// What happened, as audit lines name it: `noun.verb`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::PartnerCreated(_) => "partner.created",
            Self::PartnerUpdated(_) => "partner.updated",
            Self::PartnerExpired(_) => "partner.expired",
            Self::PartnerDeleted(_) => "partner.deleted",
            Self::ApiCreated(_) => "api.created",
            Self::ApiUpdated(_) => "api.updated",
            Self::ApiDeleted(_) => "api.deleted",
            Self::ScopeCreated(..) => "scope.created",
            Self::ScopeDeleted(..) => "scope.deleted",
            Self::ClientCreated { .. } => "client.created",
            Self::ClientUpdated(_) => "client.updated",
            Self::ClientExpired(_) => "client.expired",
            Self::ClientDeleted(_) => "client.deleted",
            Self::ClientLimited { limits, .. } if limits.is_empty() => "limit.cleared",
            Self::ClientLimited { .. } => "limit.set",
            Self::SecretAdded { .. } => "secret.added",
            Self::SecretEnded { .. } => "secret.ended",
            Self::SecretLimited { .. } => "secret.limited",
            Self::SecretRetagged { .. } => "secret.retagged",
            Self::ClientKeyAdded { .. } => "client_key.added",
            Self::ClientKeyRemoved { .. } => "client_key.removed",
            Self::ApiSecretAdded { .. } => "api_secret.added",
            Self::ApiSecretEnded { .. } => "api_secret.ended",
            Self::RouteAdded(..) => "route.added",
            Self::RouteRemoved { .. } => "route.removed",
            Self::KeyAdded(_) => "key.added",
            Self::KeyMoved { to, .. } => match to {
                KeyState::Published => "key.published",
                KeyState::Signing => "key.promoted",
                KeyState::Verifying => "key.demoted",
                KeyState::Retired => "key.retired",
                KeyState::Revoked => "key.revoked",
            },
            Self::KeyRewrapped { .. } => "key.rewrapped",
            Self::Revoked(_) => "token.revoked",
            Self::MasterKeyAdopted { .. } => "master_key.adopted",
        }
    }

    /// What it happened to: followers of the news drop what they hold about it.
    pub fn subject(&self) -> Subject {
        match self {
            Self::PartnerCreated(partner) | Self::PartnerUpdated(partner) | Self::PartnerExpired(partner) => {
                Subject::Partner(partner.id)
            }
            Self::PartnerDeleted(id) => Subject::Partner(*id),
            Self::ApiCreated(api) | Self::ApiUpdated(api) => Subject::Api(api.id),
            Self::ApiDeleted(id) | Self::ScopeCreated(id, _) | Self::ScopeDeleted(id, _) => Subject::Api(*id),
            Self::ClientCreated { client, .. }
            | Self::ClientUpdated(client)
            | Self::ClientExpired(client) => Subject::Client(client.id.clone()),
            Self::ClientDeleted(id) | Self::ClientLimited { client: id, .. } => Subject::Client(id.clone()),
            Self::SecretAdded { client, .. } | Self::SecretEnded { client, .. } => {
                Subject::Client(client.clone())
            }
            Self::SecretLimited { client, .. }
            | Self::SecretRetagged { client, .. }
            | Self::ClientKeyAdded { client, .. }
            | Self::ClientKeyRemoved { client, .. } => Subject::Client(client.clone()),
            Self::ApiSecretAdded { api, .. } | Self::ApiSecretEnded { api, .. } => Subject::Api(*api),
            Self::RouteAdded(api, _) | Self::RouteRemoved { api, .. } => Subject::Api(*api),
            Self::KeyAdded(StoredKey { owner, .. })
            | Self::KeyMoved { owner, .. }
            | Self::KeyRewrapped { owner, .. } => match owner {
                KeyOwner::Api(api) => Subject::Api(*api),
                KeyOwner::Service => Subject::Server,
            },
            Self::Revoked(revocation) => Subject::Revocation(revocation.what.name()),
            Self::MasterKeyAdopted { .. } => Subject::Server,
        }
    }

    /// What an auditor wants to know of it; never a secret, a tag or a private key.
    pub fn details(&self) -> Value {
        match self {
            Self::PartnerCreated(partner) | Self::PartnerUpdated(partner) | Self::PartnerExpired(partner) => {
                json!(partner)
            }
            Self::ApiCreated(api) | Self::ApiUpdated(api) => json!(api),
            Self::PartnerDeleted(_) | Self::ApiDeleted(_) | Self::ClientDeleted(_) => json!({}),
            Self::ScopeCreated(_, scope) => json!(scope),
            Self::ScopeDeleted(_, scope) => json!({ "name": scope }),
            Self::ClientCreated { client, secret } => {
                json!({ "client": client, "secret_id": secret.as_ref().map(|secret| secret.id) })
            }
            Self::ClientUpdated(client) | Self::ClientExpired(client) => json!(client),
            Self::ClientLimited { limits, .. } => json!(limits),
            Self::SecretAdded { secret, .. } | Self::ApiSecretAdded { secret, .. } => json!({
                "secret_id": secret.id,
                "label": secret.label,
                "not_before": secret.not_before,
                "expires": secret.expires,
            }),
            Self::SecretEnded { secret, at, .. } => json!({ "secret_id": secret, "at": at }),
            Self::SecretLimited { secret, expires, .. } => json!({ "secret_id": secret, "expires": expires }),
            Self::SecretRetagged { secret, tag, .. } => json!({ "secret_id": secret, "pepper": tag.pepper }),
            Self::ClientKeyAdded { key, .. } => json!(key),
            Self::ClientKeyRemoved { key, .. } => json!({ "key_id": key }),
            Self::ApiSecretEnded { secret, at, .. } => json!({ "secret_id": secret, "at": at }),
            Self::RouteAdded(_, route) => json!(route),
            Self::RouteRemoved { method, path, .. } => json!({ "method": method, "path": path }),
            Self::KeyMoved { kid, from, to, verifies_until, .. } => {
                json!({ "kid": kid, "from": from, "to": to, "verifies_until": verifies_until })
            }
            Self::KeyRewrapped { kid, sealed, .. } => json!({ "kid": kid, "wrapping": sealed.wrapping }),
            Self::Revoked(revocation) => json!(revocation),
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
    /// What was revoked; the text names it.
    Revocation(String),
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
            Self::Revocation(_) => "revocation",
            Self::Server => "server",
        }
    }

    /// The id, as the store keeps it.
    pub fn id(&self) -> String {
        match self {
            Self::Partner(id) => id.0.to_string(),
            Self::Api(id) => id.0.to_string(),
            Self::Client(id) => id.to_string(),
            Self::Revocation(what) => what.clone(),
            Self::Server => String::new(),
        }
    }

    /// The subject that noun and id name; `None` for what this version does not know.
    pub fn parse(noun: &str, id: &str) -> Option<Self> {
        match noun {
            "partner" => id.parse().ok().map(PartnerId).map(Self::Partner),
            "api" => id.parse().ok().map(ApiId).map(Self::Api),
            "client" => ClientId::parse(id).map(Self::Client),
            "revocation" => Some(Self::Revocation(id.to_owned())),
            "server" => Some(Self::Server),
            _ => None,
        }
    }
}
