//! This file is where the keys of clients are gathered: those that are stored, and those that clients publish, which
//! `client_jwks/sets.rs` holds.
//!
//! A set is fetched beside the requests: when its client is read ahead, before it is stale, and when a key is named that
//! nobody knows; one fetch at a time for an address, and none sooner than the floor, so that made-up key ids send no
//! storm to anybody. While fetches fail the keys at hand count for a day.
//! No request waits for a fetch of its own: time would tell which clients exist. After a start all who sign wait for the
//! first round, whoever they say they are.
//! The price: a new key is refused until it was fetched, and a key that its client withdrew counts until then.

pub(crate) mod sets;
mod source;

use gatepost_core::clients::{AssertionKey, ClientRecord, KeyMaterial};
use gatepost_jose::Header;
use tokio::task::JoinSet;

pub use sets::ClientJwks;
pub(crate) use source::resolve;
pub use source::{Document, Fetch, Fetched, MAX_BYTES};

use crate::gate::Gate;
use sets::{Set, addresses};

/// How many are fetched at a time.
const AT_ONCE: usize = 32;

/// The keys that the client may sign with now: those that are stored and those that it publishes, as far as they are here.
pub(crate) fn keys_for(gate: &Gate, record: &ClientRecord, header: &Header) -> Vec<AssertionKey> {
    let stored = record.keys.iter().filter_map(|key| match &key.material {
        KeyMaterial::Jwk(jwk) => AssertionKey::from_jwk(jwk).ok(),
        KeyMaterial::JwksUri(_) => None,
    });
    let mut keys: Vec<_> = stored.collect();
    for uri in addresses(record) {
        let (at_hand, renewal) =
            gate.client_jwks.at_hand((uri, &record.client.id), header, gate.clock.steady());
        keys.extend(at_hand);
        if let Some(renewal) = renewal {
            tokio::spawn(renewal);
        }
    }
    keys
}

/// Fetches the sets that are due: those that nobody fetched yet and those that grow old. One that no client names any
/// more is let go.
pub async fn renew_due(gate: &Gate) {
    let mut under_way = JoinSet::new();
    for (uri, set) in gate.client_jwks.due(gate.clock.steady()) {
        if !is_named(gate, &uri, &set).await {
            gate.client_jwks.let_go(&uri);
            continue;
        }
        if under_way.len() >= AT_ONCE {
            under_way.join_next().await;
        }
        if let Some(renewal) = gate.client_jwks.renewal((&uri, set), gate.clock.steady()) {
            under_way.spawn(renewal);
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Whether a client still names the address. While the store is away nothing is let go.
async fn is_named(gate: &Gate, uri: &str, set: &Set) -> bool {
    for owner in set.owners() {
        match gate.clients.record(&owner).await {
            Ok(Some(record)) if addresses(&record).any(|named| named == uri) => return true,
            Ok(_) => set.disown(&owner),
            Err(_) => return true,
        }
    }
    false
}
