//! This file is where the ids of all clients are known, 16 bytes each, so that a made-up id costs no read.
//!
//! It also keeps time from telling which ids exist: an unknown client and a known one with a wrong secret both end
//! without the store. An id may be here without a client (a deleted one, or by a clash of two that are no UUIDs); it then
//! costs one read, after which it counts as gone. The opposite never happens: what changes is added before anyone may ask for it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{PoisonError, RwLock};

use gatepost_core::clients::ClientId;
use uuid::Uuid;

/// The ids of all clients; everyone may be one until they have been read.
#[derive(Default)]
pub(crate) struct KnownIds(RwLock<Ids>);

#[derive(Default)]
struct Ids {
    /// All at the time of reading, in order; `None` before that.
    read: Option<Box<[u128]>>,
    /// Those that changed since.
    changed: HashSet<u128>,
    /// Those of both that a read did not find.
    gone: HashSet<u128>,
}

impl KnownIds {
    /// Whether a client of that id may be in the store.
    pub(crate) fn may_hold(&self, id: &ClientId) -> bool {
        let ids = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let number = number(id);
        let was_read = |read: &[u128]| read.binary_search(&number).is_ok();
        let held = ids.read.as_deref().is_none_or(was_read) || ids.changed.contains(&number);
        held && !ids.gone.contains(&number)
    }

    /// A client of that id came, changed or went.
    pub(crate) fn changed(&self, id: &ClientId) {
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ids.changed.insert(number(id));
        ids.gone.remove(&number(id));
    }

    /// A read that nothing overtook found no client of that id. Before all were read it tells nothing worth keeping.
    pub(crate) fn not_found(&self, id: &ClientId) {
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if ids.read.is_some() {
            ids.gone.insert(number(id));
        }
    }

    /// Everyone may be a client again.
    pub(crate) fn forget(&self) {
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ids.read = None;
        ids.gone.clear();
    }

    /// Takes what was read; what changed while it was read stays.
    pub(crate) fn take(&self, mut read: Vec<u128>) {
        read.sort_unstable();
        read.dedup();
        self.0.write().unwrap_or_else(PoisonError::into_inner).read = Some(read.into_boxed_slice());
    }
}

/// An id as 16 bytes: a UUID is itself, another text its hash.
pub(crate) fn number(id: &ClientId) -> u128 {
    let text = id.as_str();
    match Uuid::try_parse(text) {
        Ok(uuid) if text.len() == 36 => uuid.as_u128(),
        Ok(_) | Err(_) => (u128::from(hash(text, 1)) << 64) | u128::from(hash(text, 2)),
    }
}

fn hash(text: &str, salt: u8) -> u64 {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).unwrap()
    }

    #[test]
    fn before_the_ids_were_read_everyone_may_be_a_client() {
        assert!(KnownIds::default().may_hold(&id("anyone")));
    }

    #[test]
    fn after_that_only_those_that_were_read_or_changed_may() {
        let known = KnownIds::default();
        known.changed(&id("came-while-reading"));
        known.take(vec![number(&id("9b1e82a7-0a59-4e7e-add5-b9ffa37aade1")), number(&id("7"))]);

        for held in ["9b1e82a7-0a59-4e7e-add5-b9ffa37aade1", "7", "came-while-reading"] {
            assert!(known.may_hold(&id(held)), "{held}");
        }
        assert!(!known.may_hold(&id("9b1e82a7-0a59-4e7e-add5-b9ffa37aade2")));
        known.forget();
        assert!(known.may_hold(&id("anyone")));
    }
}
