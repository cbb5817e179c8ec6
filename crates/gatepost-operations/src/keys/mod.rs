//! This folder is where signing keys are conducted through their lives: made, shown, rotated, revoked, imported.

pub(crate) mod four_primes;
mod import;
mod maker;
pub(crate) mod primes;
mod revoke;
mod rewrap;
mod rotation;
mod schedule;

pub use import::import;
pub(crate) use maker::{KeyMaker, first_key};
pub use revoke::{BlastRadius, RevokedKey, blast_radius, revoke};
pub use rewrap::rewrap;
pub use rotation::{Plan, next_due, promote, retire, rotate, rotate_to, tick};
pub use schedule::{Waiting, waiting};
pub(crate) use schedule::{schedule, turns, written};

use gatepost_core::keys::{KeyOwner, KeyState, StoredKey};
use gatepost_jose::PublicKey;
use serde::Serialize;

use crate::apis::found;
use crate::failure::Failure;
use crate::gate::Gate;

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// The RFC 7638 thumbprint of its public half.
    pub kid: String,
    /// The API that it signs for; `service` for the server's own.
    pub api: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// Of how many primes an RSA key is, while its private half is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primes: Option<u8>,
    /// Where it is in its life.
    pub state: &'static str,
    /// From when on it signs (RFC 3339).
    pub signs_from: String,
    /// When its last token has expired, once it signs no more (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifies_until: Option<String>,
    /// Of a key that signs: when the next one takes over, or may where nothing swaps by itself (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_turn: Option<String>,
    /// When it was made or imported (RFC 3339).
    pub created: String,
}

/// The keys of an API, or of all and the server itself.
pub async fn list(gate: &Gate, api: Option<&str>) -> Result<Vec<KeyView>, Failure> {
    let wanted = api.map(|name| found::find(gate, name)).transpose()?;
    let stored = gate.store.keys().await?;
    let belongs = |key: &&StoredKey| wanted.as_ref().is_none_or(|api| key.owner == KeyOwner::Api(api.api.id));
    let view = |key: &StoredKey| {
        let next_turn = if key.state == KeyState::Signing { turn_after(gate, key, &stored) } else { None };
        KeyView { next_turn, ..KeyView::of(gate, key) }
    };
    Ok(stored.iter().filter(belongs).map(view).collect())
}

/// When the key that signs gives way to the next one.
fn turn_after(gate: &Gate, signing: &StoredKey, stored: &[StoredKey]) -> Option<String> {
    let ring = gate.ring();
    let api = ring.apis().iter().find(|api| signing.owner == KeyOwner::Api(api.api.id))?;
    let keys: Vec<_> = stored.iter().filter(|key| key.owner == signing.owner).cloned().collect();
    schedule::next_turn(gate, api, &keys)
}

/// The public half of the key that signs for an API, as PEM and as JWK.
pub fn export_public(gate: &Gate, api: &str) -> Result<PublicHalf, Failure> {
    let found = found::find(gate, api)?;
    let ring = gate.ring();
    let keys = ring.keys_of(found.api.id);
    let key = keys.and_then(|keys| keys.verifying.first());
    let none = || Failure::not_found("key.not_found", "signing key of API", api, "gatepost key list");
    PublicHalf::of(key.ok_or_else(none)?)
}

/// The public half of a key, in the forms that readers want.
#[derive(Clone, Debug, Serialize)]
pub struct PublicHalf {
    /// Its thumbprint.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// SubjectPublicKeyInfo as PEM.
    pub pem: String,
    /// RFC 7517.
    pub jwk: gatepost_jose::Jwk,
}

impl PublicHalf {
    fn of(key: &PublicKey) -> Result<Self, Failure> {
        let (kid, alg) = (key.kid().as_str().to_owned(), key.algorithm().as_str());
        // For readers outside, as in the key set that they fetch.
        Ok(Self { kid, alg, pem: key.to_pem()?, jwk: key.clone().named_in_jti(false).to_jwk() })
    }
}

impl KeyView {
    fn of(gate: &Gate, key: &StoredKey) -> Self {
        Self {
            kid: key.kid.as_str().to_owned(),
            api: owner_name(gate, key.owner),
            alg: key.algorithm.as_str(),
            primes: gate.ring().primes_of(&key.kid).map(gatepost_jose::Primes::count),
            state: key.state.as_str(),
            signs_from: crate::clock::written(key.signs_from),
            verifies_until: key.verifies_until.map(crate::clock::written),
            next_turn: None,
            created: crate::clock::written(key.created),
        }
    }
}

/// The name of the API that a key signs for, or `service`.
fn owner_name(gate: &Gate, owner: KeyOwner) -> String {
    match owner {
        KeyOwner::Service => "service".to_owned(),
        KeyOwner::Api(id) => {
            let ring = gate.ring();
            let api = ring.apis().iter().find(|known| known.api.id == id);
            api.map_or_else(|| id.0.to_string(), |known| known.api.name.as_str().to_owned())
        }
    }
}

/// The key with that thumbprint, or a beginning of it that is no other's.
async fn find(gate: &Gate, kid: &str) -> Result<StoredKey, Failure> {
    let mut found: Vec<_> = gate.store.keys().await?;
    found.retain(|key| key.kid.as_str().starts_with(kid) && !kid.is_empty());
    match (found.pop(), found.is_empty()) {
        (Some(key), true) => Ok(key),
        (None, _) => Err(Failure::not_found("key.not_found", "key", kid, "gatepost key list")),
        (Some(_), false) => {
            let what = format!("`{}` is the beginning of several keys", kid.escape_debug());
            Err(Failure::invalid("key.ambiguous", what, "give more of it; see `gatepost key list`"))
        }
    }
}
