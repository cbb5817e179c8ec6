//! This file is where the ids of all clients are known, 16 bytes each, so that a made-up id costs no read.
//!
//! It also keeps time from telling which ids exist: an unknown client and a known one with a wrong secret both end
//! without the store. An id may be here without a client (a deleted one, or by a clash of two that are no UUIDs); it then
//! costs one read, after which it counts as gone. The opposite never happens: what changes is added before anyone may ask for it.
//! In a store of very many clients the place of an id is also where its record is kept small.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{PoisonError, RwLock};

use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::partners::PartnerId;

use crate::packed::packed;
use crate::slots::Slots;
use crate::sorted_ids::SortedIds;

/// The ids of all clients; everyone may be one until they have been read.
#[derive(Default)]
pub(crate) struct KnownIds(RwLock<Ids>);

#[derive(Default)]
struct Ids {
    /// All at the time of reading; `None` before that.
    read: Option<Everyone>,
    /// Those that changed since.
    changed: HashSet<u128>,
    /// Those of both that a read did not find.
    gone: HashSet<u128>,
}

/// All at the time of reading.
struct Everyone {
    ids: SortedIds,
    /// Their records, where there are so many that they must be kept small.
    slots: Option<Slots>,
}

/// What is known of an id.
pub(crate) enum Known {
    /// No client has it.
    Nobody,
    /// A client may have it.
    Perhaps,
    /// A client has it, and this is all there is to know.
    Record(Box<ClientRecord>),
}

/// How many records are kept whole, and how many small; stores with no more clients than are kept whole need no others.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) whole: u64,
    pub(crate) small: u64,
}

impl KnownIds {
    /// What is known of that id.
    pub(crate) fn look(&self, id: &ClientId) -> Known {
        let number = number(id);
        let ids = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if !ids.hold(number) {
            return Known::Nobody;
        }
        match ids.slot(number).and_then(|(slots, place)| slots.at(place, id)) {
            Some(record) => Known::Record(Box::new(record)),
            None => Known::Perhaps,
        }
    }

    /// Keeps the record small; false when it has no place here.
    pub(crate) fn keep(&self, record: &ClientRecord) -> bool {
        // Who looks up must not wait for this.
        let Some(packed) = packed(record) else {
            return false;
        };
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let slot = ids.slot_mut(number(&record.client.id));
        slot.is_some_and(|(slots, place)| slots.keep(place, packed))
    }

    /// A client of that id came, changed or went.
    pub(crate) fn changed(&self, id: &ClientId) {
        let number = number(id);
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ids.changed.insert(number);
        ids.gone.remove(&number);
        if let Some((slots, place)) = ids.slot_mut(number) {
            slots.clear(place);
        }
    }

    /// Something changed that concerns all clients of a partner; says how many were kept here.
    pub(crate) fn partner_changed(&self, partner: PartnerId) -> usize {
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let slots = ids.read.as_mut().and_then(|read| read.slots.as_mut());
        slots.map_or(0, |slots| slots.clear_partner(partner))
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
        let read = ids.read.take();
        ids.gone.clear();
        drop(ids);
        // A million records are not let go while others wait.
        drop(read);
    }

    /// Takes what was read; what changed while it was read stays.
    pub(crate) fn take(&self, read: Vec<u128>, room: Room) {
        let ids = SortedIds::of(read);
        let is_crowd = u64::try_from(ids.len()).is_ok_and(|count| count > room.whole);
        let small = usize::try_from(room.small).unwrap_or(usize::MAX);
        let slots = is_crowd.then(|| Slots::of(ids.len(), small));
        let read = Some(Everyone { ids, slots });
        let before =
            std::mem::replace(&mut self.0.write().unwrap_or_else(PoisonError::into_inner).read, read);
        drop(before);
    }
}

impl Ids {
    /// Whether a client of that id may be in the store.
    fn hold(&self, number: u128) -> bool {
        let was_read = |read: &Everyone| read.ids.place(number).is_some();
        let held = self.read.as_ref().is_none_or(was_read) || self.changed.contains(&number);
        held && !self.gone.contains(&number)
    }

    fn slot(&self, number: u128) -> Option<(&Slots, usize)> {
        let read = self.read.as_ref()?;
        Some((read.slots.as_ref()?, read.ids.place(number)?))
    }

    fn slot_mut(&mut self, number: u128) -> Option<(&mut Slots, usize)> {
        let read = self.read.as_mut()?;
        Some((read.slots.as_mut()?, read.ids.place(number)?))
    }
}

/// An id as 16 bytes: a UUID is itself, another text its hash.
pub(crate) fn number(id: &ClientId) -> u128 {
    let hashed = || (u128::from(hash(id.as_str(), 1)) << 64) | u128::from(hash(id.as_str(), 2));
    id.as_uuid().map_or_else(hashed, |uuid| uuid.as_u128())
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

    fn may_hold(known: &KnownIds, text: &str) -> bool {
        match known.look(&id(text)) {
            Known::Nobody => false,
            Known::Perhaps | Known::Record(_) => true,
        }
    }

    const ROOM: Room = Room { whole: 0, small: 10 };

    #[test]
    fn another_spelling_of_a_clients_id_is_nobodys_and_takes_nothing_from_the_client() {
        let known = KnownIds::default();
        let text = "9b1e82a7-0a59-4e7e-add5-b9ffa37aade1";
        known.take(vec![number(&id(text))], ROOM);
        for other in [text.to_uppercase(), text.replace('-', "")] {
            assert!(!may_hold(&known, &other), "{other}");
            known.not_found(&id(&other));
        }
        assert!(may_hold(&known, text));
    }

    #[test]
    fn before_the_ids_were_read_everyone_may_be_a_client() {
        assert!(may_hold(&KnownIds::default(), "anyone"));
    }

    #[test]
    fn after_that_only_those_that_were_read_or_changed_may() {
        let known = KnownIds::default();
        known.changed(&id("came-while-reading"));
        known.take(vec![number(&id("9b1e82a7-0a59-4e7e-add5-b9ffa37aade1")), number(&id("7"))], ROOM);

        for held in ["9b1e82a7-0a59-4e7e-add5-b9ffa37aade1", "7", "came-while-reading"] {
            assert!(may_hold(&known, held), "{held}");
        }
        assert!(!may_hold(&known, "9b1e82a7-0a59-4e7e-add5-b9ffa37aade2"));
        known.forget();
        assert!(may_hold(&known, "anyone"));
    }
}
