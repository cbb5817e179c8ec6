//! This file is where a key is revoked: an emergency, after which nothing that it signed is valid.

use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiId;
use gatepost_core::change::Change;
use gatepost_core::keys::rotation;
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey};
use gatepost_core::usage::Hour;
use serde::Serialize;

use super::primes::next_key;
use super::rotation::{keys_of, moved};
use super::{KeyMaker, KeyView, find, owner_name};
use crate::apis::found;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::revocations::token_life;

/// What a revocation destroys.
#[derive(Clone, Debug, Serialize)]
pub struct BlastRadius {
    /// The key.
    pub kid: String,
    /// The API whose tokens it signed.
    pub api: String,
    /// Where it is in its life.
    pub state: &'static str,
    /// At most so many of its tokens can still be valid: those that clients of the API got within a token's longest life.
    pub live_tokens_at_most: u64,
    /// How many clients of the API got tokens in that time.
    pub clients: usize,
}

/// What revoking the key would destroy; refused where it can't be revoked, so that no damage is announced in vain.
pub async fn blast_radius(gate: &Gate, kid: &str) -> Result<BlastRadius, Failure> {
    let key = find(gate, kid).await?;
    let api = revocable(&key)?;
    let now = gate.clock.now();
    let usage = gate.store.usage(None, Hour::of(now.before(token_life(gate))), Hour::of(now)).await?;
    let mut clients = std::collections::HashMap::new();
    for counts in usage {
        *clients.entry(counts.client).or_insert(0_u64) += counts.issued;
    }

    let mut concerned = Vec::new();
    for (client, issued) in clients {
        let record = gate.clients.record(&client).await?;
        if record.is_some_and(|record| record.client.apis.contains(&api)) {
            concerned.push(issued);
        }
    }
    Ok(BlastRadius {
        kid: key.kid.as_str().to_owned(),
        api: owner_name(gate, key.owner),
        state: key.state.as_str(),
        live_tokens_at_most: concerned.iter().sum(),
        clients: concerned.iter().filter(|issued| **issued > 0).count(),
    })
}

/// A key that was revoked, and what ended with it.
#[derive(Clone, Debug, Serialize)]
pub struct RevokedKey {
    /// The key as it is now.
    #[serde(flatten)]
    pub key: KeyView,
    /// At most so many of its tokens were still valid.
    pub live_tokens_at_most: u64,
    /// How many clients of the API had got them.
    pub clients: usize,
}

/// Revokes the key; if it signs, the published one or a new one signs in its place at once, published or not.
pub async fn revoke(gate: &Gate, actor: &Actor, kid: &str) -> Result<RevokedKey, Failure> {
    let BlastRadius { api, live_tokens_at_most, clients, .. } = blast_radius(gate, kid).await?;
    let key = find(gate, kid).await?;
    let changes = if key.state == KeyState::Signing {
        with_successor(gate, &key, &api).await?
    } else {
        vec![revoked(gate, &key)]
    };
    gate.apply(actor, changes).await?;
    let key = KeyView::of(gate, &find(gate, key.kid.as_str()).await?);
    Ok(RevokedKey { key, live_tokens_at_most, clients })
}

/// The API whose key it is; a key that can't be revoked is refused.
fn revocable(key: &StoredKey) -> Result<ApiId, Failure> {
    match (key.state, key.owner) {
        (KeyState::Revoked, _) => Err(over()),
        (_, KeyOwner::Service) => Err(not_by_hand()),
        (
            KeyState::Published | KeyState::Signing | KeyState::Verifying | KeyState::Retired,
            KeyOwner::Api(api),
        ) => Ok(api),
    }
}

async fn with_successor(gate: &Gate, key: &StoredKey, api: &str) -> Result<Vec<Change>, Failure> {
    let found = found::find(gate, api)?;
    let keys = keys_of(gate, &found).await?;
    let successor = match rotation::in_state(&keys, KeyState::Published) {
        Some(published) => moved(published, KeyState::Signing, None),
        None => {
            let maker = KeyMaker::of(gate);
            let wanted = next_key(gate, &found, &keys, None)?;
            Change::KeyAdded(maker.first(key.owner, wanted, gate.clock.now()).await?)
        }
    };
    Ok(vec![revoked(gate, key), successor])
}

fn revoked(gate: &Gate, key: &StoredKey) -> Change {
    moved(key, KeyState::Revoked, Some(gate.clock.now().after(token_life(gate))))
}

fn not_by_hand() -> Failure {
    let what = "the service key can't be revoked by hand";
    Failure::new(
        Kind::Conflict,
        "key.service",
        what,
        "followers of the feed know no other",
        "rotate it with the next release",
    )
}

fn over() -> Failure {
    let (what, why) = ("the key is revoked already", "nothing that it signed is valid");
    Failure::new(Kind::Conflict, "key.revoked", what, why, "nothing is left to do")
}
