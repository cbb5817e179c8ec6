//! This file is where sealed keys move to the newest wrapping key of the master key file.

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::keys::StoredKey;

use crate::failure::{Failure, Kind};
use crate::gate::Gate;

/// Seals every key anew that an older wrapping key sealed, one change a key; returns how many.
///
/// It can be stopped at any moment and run again: what is done stays done.
pub async fn rewrap(gate: &Gate, actor: &Actor) -> Result<usize, Failure> {
    let (keys, master) = (gate.store.keys().await?, gate.master());
    let older: Vec<_> = keys.iter().filter(|key| !master.wrapping.is_current(&key.sealed.wrapping)).collect();
    for key in &older {
        let change = sealed_anew(gate, key)?;
        gate.apply(actor, vec![change]).await?;
    }
    Ok(older.len())
}

fn sealed_anew(gate: &Gate, key: &StoredKey) -> Result<Change, Failure> {
    let master = gate.master();
    let wrapping = &master.wrapping;
    let shut = |error: gatepost_core::keys::SealError| {
        let what = format!("the key {} can't be opened", key.kid);
        let fix = "put the wrapping key that sealed it back into the master key file";
        Failure::new(Kind::Configuration, "master_key.wrong", what, error.to_string(), fix)
    };
    let private = wrapping.open(key.kid.as_str(), &key.sealed).map_err(shut)?;
    let sealed = wrapping.seal(key.kid.as_str(), gate.entropy.bytes()?, &private).map_err(shut)?;
    Ok(Change::KeyRewrapped { kid: key.kid.clone(), owner: key.owner, sealed })
}
