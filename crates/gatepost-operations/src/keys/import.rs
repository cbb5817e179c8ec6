//! This file is where a key that was made elsewhere is taken in: to go on where another issuer stopped.

use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiWithScopes;
use gatepost_core::change::Change;
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey, rotation};
use gatepost_core::secret::Secret;
use gatepost_jose::{KeyError, SigningKey};

use super::rotation::{keys_of, room_for_one_more};
use super::{KeyMaker, KeyView, owner_name};
use crate::apis::found;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;

/// Publishes the private key in `pem` as the next key of an API; `promote` lets it sign.
pub async fn import(gate: &Gate, actor: &Actor, api: &str, pem: &Secret) -> Result<KeyView, Failure> {
    let found = found::find(gate, api)?;
    let unusable = |error: KeyError| {
        if error == KeyError::FourPrimesAbsent {
            return Failure::four_primes_absent(
                "the private key has four primes, which this build can't hold",
            );
        }
        let what = format!("this is no {} private key that can be used", found.api.algorithm);
        Failure::invalid(
            "key.import",
            what,
            "give an unencrypted PEM private key of at least 2048 bits or on the right curve",
        )
        .because(error.to_string())
    };
    let key = SigningKey::from_pem(found.api.algorithm, pem.expose()).map_err(unusable)?;
    key.self_test().map_err(unusable)?;

    let now = gate.clock.now();
    let sealed = KeyMaker::of(gate).sealed(KeyOwner::Api(found.api.id), &key, now)?;
    not_held(gate, &sealed, &found).await?;
    let keys = keys_of(gate, &found).await?;
    if let Some(published) = rotation::in_state(&keys, KeyState::Published) {
        let what = format!("the key {} waits to sign already", published.kid);
        return Err(Failure::invalid("key.already_published", what, "promote or retire it first"));
    }
    room_for_one_more(&found, &keys)?;
    let signs_from = now.after(gate.config.keys.publish_ahead);
    let imported = StoredKey { state: KeyState::Published, signs_from, ..sealed };
    gate.apply(actor, vec![Change::KeyAdded(imported.clone())]).await?;
    Ok(KeyView::of(gate, &imported))
}

/// Refuses a key that is here already; of one that waits to sign, the caller says so.
async fn not_held(gate: &Gate, key: &StoredKey, api: &ApiWithScopes) -> Result<(), Failure> {
    let keys = gate.store.keys().await?;
    let Some(held) = keys.iter().find(|known| known.kid == key.kid) else {
        return Ok(());
    };
    let (kid, name) = (&held.kid, api.api.name.as_str());
    if held.owner != key.owner {
        let what = format!("the key {kid} belongs to {}", owner_name(gate, held.owner));
        let why = "a key signs for one API only, also after its time";
        let fix = format!("import a key of its own, or let one be made: `gatepost key rotate --api {name}`");
        return Err(Failure::new(Kind::Conflict, "key.held_elsewhere", what, why, fix));
    }
    if held.state == KeyState::Published {
        return Ok(());
    }
    let what = format!("{name} holds the key {kid} already");
    let why = format!("it is {}, and a key goes through its life once", held.state.as_str());
    let fix = format!("nothing, if it should sign; for another one, `gatepost key rotate --api {name}`");
    Err(Failure::new(Kind::Conflict, "key.held", what, why, fix))
}
