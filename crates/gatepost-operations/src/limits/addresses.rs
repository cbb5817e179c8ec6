//! This file is where the requests of known clients are counted by the address that they come from, each address by itself.
//!
//! The idea: a map in many parts, so that addresses seldom wait for one another; an address that may ask for all that its
//! rate gives is as good as none, and makes room. A partner has so many places of each part and no more: what it does
//! reaches nobody else. Its clients at addresses beyond these are counted one by one, each wherever it comes from, so
//! that none takes from another. The limit: a client that finds no place even there is served and not counted; that
//! takes very many clients at once. The price: one lock where the address has its place, two where it finds none; 21 MB
//! when all places of both maps are taken.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::limits::{Neighborhood, Rate, Verdict, admit};
use gatepost_core::partners::PartnerId;
use gatepost_core::time::Timestamp;

const PARTS: usize = 64;
/// 114,688 addresses in all, 4,096 of them of one partner.
const OF_ADDRESSES: Room = Room { most: 1_792, of_a_partner: 64 };
/// 28,672 clients in all, 7,168 of them of one partner.
const OF_CLIENTS: Room = Room { most: 448, of_a_partner: 112 };
/// A part is looked through for places that are as good as none so often at most.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

/// What the addresses of known clients take.
pub(super) struct Addresses {
    networks: Table<Neighborhood>,
    /// Those whose address found no place.
    clients: Table<ClientId>,
}

/// What is counted by `K`.
struct Table<K> {
    hasher: RandomState,
    parts: Vec<Mutex<Part<K>>>,
}

struct Part<K> {
    room: Room,
    swept: Timestamp,
    places: HashMap<K, Place>,
    /// How many places each partner has.
    held: HashMap<PartnerId, usize>,
}

/// How many places a part has.
#[derive(Clone, Copy)]
struct Room {
    most: usize,
    of_a_partner: usize,
}

struct Place {
    /// Until when the requests so far are paid for.
    until: Timestamp,
    /// Whose client came first.
    partner: PartnerId,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { networks: Table::with(OF_ADDRESSES), clients: Table::with(OF_CLIENTS) }
    }
}

impl Addresses {
    /// Holds one more request of a client of that partner against the rate of the address; `None` when there is no
    /// room to count.
    pub(super) fn take(
        &self,
        from: Neighborhood,
        (client, partner): (&ClientId, PartnerId),
        rate: Rate,
        now: Timestamp,
    ) -> Option<Verdict> {
        let by_address = self.networks.take(&from, partner, rate, now);
        by_address.or_else(|| self.clients.take(client, partner, rate, now))
    }
}

impl<K: Hash + Eq + Clone> Table<K> {
    fn with(room: Room) -> Self {
        let swept = Timestamp::from_micros(i64::MIN);
        let part = |_| Mutex::new(Part { room, swept, places: HashMap::new(), held: HashMap::new() });
        Self { hasher: RandomState::default(), parts: (0..PARTS).map(part).collect() }
    }

    fn take(&self, key: &K, partner: PartnerId, rate: Rate, now: Timestamp) -> Option<Verdict> {
        let part = usize::try_from(self.hasher.hash_one(key)).unwrap_or(0) % PARTS;
        let mut part = self.parts.get(part)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = part.places.get_mut(key) {
            return Some(place.take(rate, now));
        }
        if !part.has_room(partner) {
            part.sweep(rate, now);
        }
        part.has_room(partner).then(|| part.give(key, partner).take(rate, now))
    }
}

impl<K: Hash + Eq + Clone> Part<K> {
    fn has_room(&self, partner: PartnerId) -> bool {
        let held = self.held.get(&partner).copied().unwrap_or(0);
        self.places.len() < self.room.most && held < self.room.of_a_partner
    }

    fn give(&mut self, key: &K, partner: PartnerId) -> &mut Place {
        let held = self.held.entry(partner).or_default();
        *held = held.saturating_add(1);
        let until = Timestamp::from_micros(i64::MIN);
        self.places.entry(key.clone()).or_insert(Place { until, partner })
    }

    fn sweep(&mut self, rate: Rate, now: Timestamp) {
        if now >= self.swept && now.since(self.swept) < BETWEEN_SWEEPS {
            return;
        }
        self.swept = now;
        self.places.retain(|_, place| place.counts(rate, now));
        self.held.clear();
        for place in self.places.values() {
            let held = self.held.entry(place.partner).or_default();
            *held = held.saturating_add(1);
        }
    }
}

impl Place {
    fn take(&mut self, rate: Rate, now: Timestamp) -> Verdict {
        let verdict = admit(rate, self.until, now);
        self.until = match verdict {
            Verdict::Admitted { until, .. } | Verdict::Refused { until, .. } => until,
        };
        verdict
    }

    /// Whether it differs from a new one. Further ahead than the rate allows means that the clock went back.
    fn counts(&self, rate: Rate, now: Timestamp) -> bool {
        self.until > now && self.until.since(now) <= rate.window()
    }
}

#[cfg(test)]
mod tests;
