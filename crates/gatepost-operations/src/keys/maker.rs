//! This file is where keys are generated, tried and sealed.

use std::sync::Arc;

use gatepost_core::apis::Api;
use gatepost_core::keys::{self, KeyOwner, StoredKey};
use gatepost_core::time::Timestamp;
use gatepost_jose::{Algorithm, Jwk, KeyError, Primes, RsaBits, SigningKey};

use crate::config::Config;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::master_key::MasterKey;

/// The first key of a new API.
pub(crate) async fn first_key(gate: &Gate, api: &Api) -> Result<StoredKey, Failure> {
    KeyMaker::of(gate).first(KeyOwner::Api(api.id), api.algorithm, gate.clock.now()).await
}

/// What kind of key is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) algorithm: Algorithm,
    /// Of how many primes an RSA key is to be.
    pub(crate) primes: Primes,
}

impl From<Algorithm> for Wanted {
    fn from(algorithm: Algorithm) -> Self {
        Self { algorithm, primes: Primes::Two }
    }
}

/// What making a key takes; setup has it before there is a gate.
pub(crate) struct KeyMaker<'a> {
    pub(crate) config: &'a Config,
    pub(crate) master: Arc<MasterKey>,
    pub(crate) entropy: &'a Entropy,
}

impl<'a> KeyMaker<'a> {
    /// What the gate has for it.
    pub(crate) fn of(gate: &'a Gate) -> Self {
        Self { config: &gate.config, master: gate.master(), entropy: &gate.entropy }
    }

    /// Generates a key that signs at once.
    pub(crate) async fn first(
        &self,
        owner: KeyOwner,
        wanted: impl Into<Wanted>,
        now: Timestamp,
    ) -> Result<StoredKey, Failure> {
        let key = self.generate(wanted.into()).await?;
        let stored = self.sealed(owner, &key, now)?;
        // Nobody else signs with it, and here it is named in each token; of one from elsewhere nobody knows.
        let named = matches!(owner, KeyOwner::Api(_)).then_some(true);
        Ok(StoredKey { public: Jwk { jti_names_key: named, ..stored.public }, ..stored })
    }

    /// Seals a key for the store, as one that signs at once.
    pub(crate) fn sealed(
        &self,
        owner: KeyOwner,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<StoredKey, Failure> {
        let nonce = self.entropy.bytes()?;
        let sealed = self.master.wrapping.seal(key.kid().as_str(), nonce, &key.to_pkcs8_der()?);
        let sealed = sealed.map_err(|error| Failure::internal("key.seal", error.to_string()))?;
        Ok(keys::first(owner, key.public(), sealed, now))
    }

    /// Generates a key and lets it sign and verify once.
    async fn generate(&self, wanted: Wanted) -> Result<SigningKey, Failure> {
        let bits = match self.config.keys.rsa_bits {
            2048 => RsaBits::B2048,
            3072 => RsaBits::B3072,
            _ => RsaBits::B4096,
        };
        // A large RSA key takes a second or more: not on an async worker.
        let made = tokio::task::spawn_blocking(move || {
            let key = match wanted.primes {
                Primes::Two => SigningKey::generate(wanted.algorithm, bits)?,
                Primes::Four => SigningKey::generate_of_four_primes(wanted.algorithm)?,
            };
            key.self_test()?;
            Ok::<_, KeyError>(key)
        });
        Ok(made.await.map_err(|error| Failure::internal("key.generation", error.to_string()))??)
    }
}
