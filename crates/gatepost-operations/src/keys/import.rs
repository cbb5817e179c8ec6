//! This file is where a key that was made elsewhere is taken in: to go on where another issuer stopped.

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey, rotation};
use gatepost_core::secret::Secret;
use gatepost_jose::{KeyError, SigningKey};

use super::rotation::keys_of;
use super::{KeyMaker, KeyView, primes};
use crate::apis;
use crate::failure::Failure;
use crate::gate::Gate;

/// Publishes the private key in `pem` as the next key of an API; `promote` lets it sign.
pub async fn import(gate: &Gate, actor: &Actor, api: &str, pem: &Secret) -> Result<KeyView, Failure> {
    let found = apis::find(gate, api)?;
    let unusable = |error: KeyError| {
        if error == KeyError::FourPrimesAbsent {
            return primes::absent("the private key has four primes, which this build can't hold");
        }
        let what = format!("this is no {} private key that can be used: {error}", found.api.algorithm);
        Failure::invalid(
            "key.import",
            what,
            "give an unencrypted PEM private key of at least 2048 bits or on the right curve",
        )
    };
    let key = SigningKey::from_pem(found.api.algorithm, pem.expose()).map_err(unusable)?;
    key.self_test().map_err(unusable)?;

    let now = gate.clock.now();
    let sealed = KeyMaker::of(gate).sealed(KeyOwner::Api(found.api.id), &key, now)?;
    let keys = keys_of(gate, &found).await?;
    if let Some(published) = rotation::in_state(&keys, KeyState::Published) {
        let what = format!("the key {} waits to sign already", published.kid);
        return Err(Failure::invalid("key.already_published", what, "promote or retire it first"));
    }
    let signs_from = now.after(gate.config.keys.publish_ahead);
    let imported = StoredKey { state: KeyState::Published, signs_from, ..sealed };
    gate.apply(actor, vec![Change::KeyAdded(imported.clone())]).await?;
    Ok(KeyView::of(gate, &imported))
}
