//! This file is where counts lie by the first bits of their ids, so that they are taken in the order of the ids, some at
//! a time: what is near one another in the store is written together, and never are all of them there twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use gatepost_core::clients::{ClientId, SecretId};
use gatepost_core::usage::Hour;
use uuid::Uuid;

/// How many there are; a range begins with its number as the first bits of the ids in it.
pub(crate) const RANGES: usize = 64;

/// Counts by id.
pub(super) struct Ranges<K, V> {
    ranges: Vec<HashMap<K, V>>,
    count: usize,
}

/// An id with a place among the ranges.
pub(super) trait Ranged: Hash + Eq {
    /// The first byte.
    fn first(&self) -> u8;
}

/// A client in an hour, small: most clients' ids are UUIDs.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct ClientHour(Who, Hour);

#[derive(PartialEq, Eq, Hash)]
enum Who {
    Made(Uuid),
    Brought(Box<str>),
}

impl<K, V> Default for Ranges<K, V> {
    fn default() -> Self {
        Self { ranges: (0..RANGES).map(|_| HashMap::new()).collect(), count: 0 }
    }
}

impl<K: Ranged, V> Ranges<K, V> {
    /// What is kept of that id, from now on at least `new`; `None` if it is not kept and there are `most` already.
    pub(super) fn of(&mut self, id: K, most: usize, new: impl FnOnce() -> V) -> Option<&mut V> {
        let range = self.ranges.get_mut(usize::from(id.first()) * RANGES / 256)?;
        match range.entry(id) {
            Entry::Occupied(kept) => Some(kept.into_mut()),
            Entry::Vacant(_) if self.count >= most => None,
            Entry::Vacant(free) => {
                self.count += 1;
                Some(free.insert(new()))
            }
        }
    }

    /// Everything of that range.
    pub(super) fn take(&mut self, range: usize) -> HashMap<K, V> {
        let taken = self.ranges.get_mut(range).map(std::mem::take).unwrap_or_default();
        self.count -= taken.len();
        taken
    }

    /// Everything of all ranges.
    pub(super) fn all(self) -> impl Iterator<Item = (K, V)> {
        self.ranges.into_iter().flatten()
    }

    /// How many ids there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

impl ClientHour {
    pub(super) fn of(client: &ClientId, hour: Hour) -> Self {
        let brought = || Who::Brought(client.as_str().into());
        Self(client.as_uuid().map_or_else(brought, Who::Made), hour)
    }

    /// The client, which only a text that was one before can fail to be, and the hour.
    pub(super) fn parts(&self) -> Option<(ClientId, Hour)> {
        let client = match &self.0 {
            Who::Made(uuid) => Some(ClientId::from_uuid(*uuid)),
            Who::Brought(text) => ClientId::parse(text),
        };
        Some((client?, self.1))
    }
}

impl Ranged for ClientHour {
    fn first(&self) -> u8 {
        match &self.0 {
            Who::Made(uuid) => uuid.as_bytes().first().copied().unwrap_or_default(),
            Who::Brought(text) => text.bytes().next().unwrap_or_default(),
        }
    }
}

impl Ranged for SecretId {
    fn first(&self) -> u8 {
        self.0.as_bytes().first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_it_was_written() {
        for text in [
            "9b1e82a7-0a59-4e7e-add5-b9ffa37aade1",
            "9B1E82A7-0A59-4E7E-ADD5-B9FFA37AADE1",
            "9b1e82a70a594e7eadd5b9ffa37aade1",
            "17",
        ] {
            let client = ClientId::parse(text).unwrap();
            assert_eq!(ClientHour::of(&client, Hour(7)).parts(), Some((client, Hour(7))));
        }
    }
}
