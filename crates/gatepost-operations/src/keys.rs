//! This file is where signing keys are made, sealed and shown.

use gatepost_core::apis::Api;
use gatepost_core::keys::{self, KeyOwner, StoredKey};
use gatepost_jose::{Algorithm, PublicKey, RsaBits, SigningKey};
use serde::Serialize;

use crate::apis;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::master_key::MasterKey;

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// The RFC 7638 thumbprint of its public half.
    pub kid: String,
    /// The API that it signs for; `service` for the server's own.
    pub api: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// Where it is in its life.
    pub state: &'static str,
    /// From when on it signs (RFC 3339).
    pub signs_from: String,
    /// When it was made or imported (RFC 3339).
    pub created: String,
}

/// The keys of an API, or of all and the server itself.
pub async fn list(gate: &Gate, api: Option<&str>) -> Result<Vec<KeyView>, Failure> {
    let wanted = api.map(|name| apis::find(gate, name)).transpose()?;
    let ring = gate.ring();
    let owner_name = |owner: KeyOwner| match owner {
        KeyOwner::Service => "service".to_owned(),
        KeyOwner::Api(id) => {
            let api = ring.apis().iter().find(|known| known.api.id == id);
            api.map_or_else(|| id.0.to_string(), |known| known.api.name.as_str().to_owned())
        }
    };

    let stored = gate.store.keys().await?;
    let belongs = |key: &&StoredKey| wanted.as_ref().is_none_or(|api| key.owner == KeyOwner::Api(api.api.id));
    Ok(stored.iter().filter(belongs).map(|key| KeyView::of(key, owner_name(key.owner))).collect())
}

/// The public half of the key that signs for an API, as PEM and as JWK.
pub fn export_public(gate: &Gate, api: &str) -> Result<PublicHalf, Failure> {
    let found = apis::find(gate, api)?;
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
        Ok(Self { kid, alg, pem: key.to_pem()?, jwk: key.to_jwk() })
    }
}

impl KeyView {
    fn of(key: &StoredKey, api: String) -> Self {
        Self {
            kid: key.kid.as_str().to_owned(),
            api,
            alg: key.algorithm.as_str(),
            state: key.state.as_str(),
            signs_from: crate::clock::written(key.signs_from),
            created: crate::clock::written(key.created),
        }
    }
}

/// The first key of a new API.
pub(crate) async fn first_key(gate: &Gate, api: &Api) -> Result<StoredKey, Failure> {
    let maker = KeyMaker { config: &gate.config, master: &gate.master, entropy: &gate.entropy };
    let now = gate.clock.now();
    maker.first(KeyOwner::Api(api.id), api.algorithm, now).await
}

/// What making a key takes; setup has it before there is a gate.
pub(crate) struct KeyMaker<'a> {
    pub(crate) config: &'a Config,
    pub(crate) master: &'a MasterKey,
    pub(crate) entropy: &'a Entropy,
}

impl KeyMaker<'_> {
    /// Generates a key, lets it sign and verify once, and seals it.
    pub(crate) async fn first(
        &self,
        owner: KeyOwner,
        algorithm: Algorithm,
        now: gatepost_core::time::Timestamp,
    ) -> Result<StoredKey, Failure> {
        let bits = match self.config.keys.rsa_bits {
            2048 => RsaBits::B2048,
            3072 => RsaBits::B3072,
            _ => RsaBits::B4096,
        };
        // A large RSA key takes a second or more: not on an async worker.
        let made = tokio::task::spawn_blocking(move || {
            let key = SigningKey::generate(algorithm, bits)?;
            key.self_test()?;
            Ok::<_, gatepost_jose::KeyError>(key)
        });
        let key = made.await.map_err(|error| Failure::internal("key.generation", error.to_string()))??;

        let nonce = self.entropy.bytes()?;
        let sealed = self.master.wrapping.seal(key.kid().as_str(), nonce, &key.to_pkcs8_der()?);
        let sealed = sealed.map_err(|error| Failure::internal("key.seal", error.to_string()))?;
        Ok(keys::first(owner, key.public(), sealed, now))
    }
}
