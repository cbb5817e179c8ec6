//! This file is where it is said in words what stood in the way of a change, the same for every engine.

use gatepost_core::apis::{Api, ApiId, ApiScope};
use gatepost_core::clients::{Client, ClientId, ClientKeyId, StoredSecret};
use gatepost_core::keys::{KeyOwner, StoredKey};
use gatepost_core::partners::{Partner, PartnerId};
use gatepost_jose::KeyId;

use crate::StoreError;

/// A rule of the schema that a statement ran into.
pub(crate) enum Violation {
    /// Another row has the value; `table.column`.
    Taken(String),
    /// A row that is referred to is missing, or a row is still referred to.
    Reference,
}

impl Violation {
    fn is_of(&self, place: &str) -> bool {
        match self {
            Self::Taken(taken) => taken == place,
            Self::Reference => false,
        }
    }
}

/// Why no row was changed: one is there, but not as the change was decided on, or none is.
pub(crate) fn missed(there: bool, noun: &str, id: &str) -> StoreError {
    if there {
        let why =
            format!("the {noun} {id} was changed by someone else meanwhile; look at it again and repeat");
        return StoreError::Conflict(why);
    }
    gone(noun, id)
}

/// Why a partner can't be written.
pub(crate) fn partner(violation: &Violation, partner: &Partner) -> StoreError {
    if violation.is_of("partners.slug") {
        return taken("partner name", partner.slug.as_str(), "choose another");
    }
    taken("partner id", &partner.id.0.to_string(), "choose another")
}

/// Why a partner can't be deleted.
pub(crate) fn partner_in_use(id: PartnerId) -> StoreError {
    StoreError::Conflict(format!(
        "the partner {} still has clients; delete them first, or suspend the partner",
        id.0
    ))
}

/// Why an API can't be written.
pub(crate) fn api(violation: &Violation, api: &Api) -> StoreError {
    if violation.is_of("apis.name") {
        return taken("API name", api.name.as_str(), "choose another");
    }
    if violation.is_of("apis.audience") {
        return taken(
            "audience",
            api.audience.as_str(),
            "two APIs with one audience would accept each other's tokens",
        );
    }
    taken("API id", &api.id.0.to_string(), "choose another")
}

/// Why an API can't be deleted.
pub(crate) fn api_in_use(id: ApiId) -> StoreError {
    StoreError::Conflict(format!(
        "the API {} still has clients; delete them or take the API from them first",
        id.0
    ))
}

/// Why a scope can't be written.
pub(crate) fn scope(violation: &Violation, api: ApiId, scope: &ApiScope) -> StoreError {
    match violation {
        Violation::Taken(_) => taken("scope", scope.name.as_str(), "the API has it already"),
        Violation::Reference => gone("API", &api.0.to_string()),
    }
}

/// Why a client can't be written.
pub(crate) fn client(violation: &Violation, client: &Client) -> StoreError {
    match violation {
        Violation::Taken(_) => taken("client id", client.id.as_str(), "choose another"),
        Violation::Reference => gone("partner", &client.partner_id.0.to_string()),
    }
}

/// Why a client can't have an API.
pub(crate) fn client_api(violation: &Violation, client: &ClientId, api: ApiId) -> StoreError {
    match violation {
        Violation::Taken(_) => StoreError::Conflict(format!(
            "the API {} is named twice for the client {client}; name it once",
            api.0
        )),
        Violation::Reference => gone("API", &api.0.to_string()),
    }
}

/// Why a secret can't be written.
pub(crate) fn secret(violation: &Violation, client: &ClientId, secret: &StoredSecret) -> StoreError {
    match violation {
        Violation::Taken(_) => taken("secret id", &secret.id.0.to_string(), "choose another"),
        Violation::Reference => gone("client", client.as_str()),
    }
}

/// Why a secret of an API can't be written.
pub(crate) fn api_secret(violation: &Violation, api: ApiId, secret: &StoredSecret) -> StoreError {
    match violation {
        Violation::Taken(_) => taken("secret id", &secret.id.0.to_string(), "choose another"),
        Violation::Reference => gone("API", &api.0.to_string()),
    }
}

/// Why a client's key can't be written.
pub(crate) fn client_key(violation: &Violation, client: &ClientId, key: ClientKeyId) -> StoreError {
    match violation {
        Violation::Taken(_) => taken("client key id", &key.0.to_string(), "choose another"),
        Violation::Reference => gone("client", client.as_str()),
    }
}

/// Why a client can't be given limits.
pub(crate) fn client_limits(client: &ClientId) -> StoreError {
    gone("client", client.as_str())
}

/// Why a line can't be added to a route table.
pub(crate) fn route(api: ApiId) -> StoreError {
    gone("API", &api.0.to_string())
}

/// Why a key can't be written.
pub(crate) fn key(violation: &Violation, key: &StoredKey) -> StoreError {
    match (violation, key.owner) {
        (Violation::Reference, KeyOwner::Api(api)) => gone("API", &api.0.to_string()),
        (Violation::Taken(_), _) | (Violation::Reference, KeyOwner::Service) => {
            place_taken(violation, key.owner).unwrap_or_else(|| {
                taken("key", key.kid.as_str(), "a key signs for one API only; make or import another")
            })
        }
    }
}

/// Why a key can't move on.
pub(crate) fn key_moved(violation: &Violation, kid: &KeyId, owner: KeyOwner) -> StoreError {
    place_taken(violation, owner).unwrap_or_else(|| key_missed(true, kid))
}

/// Why no key moved on: it is there, but not where the change was decided on, or it is gone.
pub(crate) fn key_missed(there: bool, kid: &KeyId) -> StoreError {
    if there {
        return StoreError::Conflict(format!(
            "the key {kid} has moved on; look at the list of keys again and repeat if need be"
        ));
    }
    gone("key", kid.as_str())
}

/// An owner has one place for the next key and one for the key that signs.
fn place_taken(violation: &Violation, owner: KeyOwner) -> Option<StoreError> {
    let whose = match owner {
        KeyOwner::Api(_) => "this API",
        KeyOwner::Service => "the service",
    };
    if violation.is_of("keys.published") {
        let why = format!("a next key of {whose} is already published; promote or retire it first");
        return Some(StoreError::Conflict(why));
    }
    if violation.is_of("keys.signing") {
        let why = format!("another key of {whose} signs already; look at the list of keys again and repeat");
        return Some(StoreError::Conflict(why));
    }
    None
}

/// Why a master key can't be adopted.
pub(crate) fn pepper(pepper: &str) -> StoreError {
    taken("pepper", pepper, "this state has adopted it already")
}

fn gone(noun: &str, id: &str) -> StoreError {
    StoreError::NotFound(format!("there is no {noun} {id}; it may have been deleted meanwhile"))
}

fn taken(what: &str, value: &str, fix: &str) -> StoreError {
    StoreError::Conflict(format!("the {what} `{value}` is taken; {fix}"))
}
