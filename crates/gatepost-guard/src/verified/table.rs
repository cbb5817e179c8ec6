//! This file is where a bounded number of entries is kept under the hashes of their tokens, for many readers at once.
//!
//! Idea: parts with a lock each, so that two calls seldom meet; a read changes nothing but a mark in the entry. When all
//! places are taken, a newcomer's part lets an entry go, the longest there that was not asked for since its last turn:
//! entries in use outlive any number of entries that are used once (second chance, Corbató 1969).
//! Limits: the bound is one for all parts together, so that none is lost before the table is full.
//! Price: what has expired keeps its place until its turn comes.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};

/// More than cores that ask at the same time, so that they seldom want the same lock.
const MOST_PARTS: usize = 64;
/// A part with fewer places could be full of entries in use while others have room.
const PLACES_OF_A_PART: usize = 64;

/// SHA-256 of a token: nothing else of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(token: &[u8]) -> Self {
        let mut hash = [0; 32];
        // Both have 32 bytes.
        hash.iter_mut().zip(digest(&SHA256, token).as_ref()).for_each(|(place, byte)| *place = *byte);
        Self(hash)
    }

    /// Bytes that the table inside a part does not look at first.
    fn part(&self, parts: usize) -> usize {
        let [.., one, two] = self.0;
        usize::from(u16::from_be_bytes([one, two])).checked_rem(parts).unwrap_or(0)
    }
}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// A SHA-256 is uniform already. Only tokens that were verified get in, so nobody can fill the table with likes.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(crate) struct Table<E> {
    parts: Vec<Part<E>>,
    capacity: usize,
    held: AtomicUsize,
}

/// Alone on its lines of the processor's cache.
#[repr(align(128))]
struct Part<E> {
    found: AtomicU64,
    places: RwLock<Places<E>>,
}

struct Places<E> {
    entries: HashMap<TokenHash, Place<E>, BuildHasherDefault<AsItIs>>,
    /// The same hashes, the longest there first.
    order: VecDeque<TokenHash>,
}

struct Place<E> {
    entry: E,
    was_asked_for: AtomicBool,
}

impl<E> Table<E> {
    pub(crate) fn new(capacity: u64) -> Self {
        let part = || Part {
            found: AtomicU64::new(0),
            places: RwLock::new(Places { entries: HashMap::default(), order: VecDeque::new() }),
        };
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        let parts = capacity.div_ceil(PLACES_OF_A_PART).clamp(1, MOST_PARTS);
        Self {
            parts: std::iter::repeat_with(part).take(parts).collect(),
            capacity,
            held: AtomicUsize::new(0),
        }
    }

    /// What `read` makes of the entry; only if it makes something, the entry was found and has its mark.
    pub(crate) fn find<T>(&self, hash: &TokenHash, read: impl FnOnce(&E) -> Option<T>) -> Option<T> {
        let part = self.part(hash)?;
        let places = part.places.read().unwrap_or_else(PoisonError::into_inner);
        let place = places.entries.get(hash)?;
        let made = read(&place.entry)?;
        // A line that many read stays with all of them unless it is written.
        if !place.was_asked_for.load(Relaxed) {
            place.was_asked_for.store(true, Relaxed);
        }
        part.found.fetch_add(1, Relaxed);
        Some(made)
    }

    /// How often an entry was found.
    pub(crate) fn found(&self) -> u64 {
        self.parts.iter().map(|part| part.found.load(Relaxed)).fold(0, u64::saturating_add)
    }

    pub(crate) fn insert(&self, hash: TokenHash, entry: E) {
        let Some(part) = self.part(&hash) else { return };
        let mut places = part.places.write().unwrap_or_else(PoisonError::into_inner);
        let place = Place { entry, was_asked_for: AtomicBool::new(false) };
        if places.entries.insert(hash, place).is_some() {
            return;
        }
        places.order.push_back(hash);
        if self.held.fetch_add(1, Relaxed) >= self.capacity && places.let_one_go() {
            self.held.fetch_sub(1, Relaxed);
        }
    }

    fn part(&self, hash: &TokenHash) -> Option<&Part<E>> {
        self.parts.get(hash.part(self.parts.len()))
    }
}

impl<E> Places<E> {
    /// False if there is none.
    fn let_one_go(&mut self) -> bool {
        while let Some(hash) = self.order.pop_front() {
            let asked_for = self.entries.get_mut(&hash).is_some_and(|place| {
                let mark = place.was_asked_for.get_mut();
                std::mem::take(mark)
            });
            if !asked_for {
                return self.entries.remove(&hash).is_some();
            }
            self.order.push_back(hash);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> TokenHash {
        TokenHash::of(&number.to_be_bytes())
    }

    fn has(table: &Table<u64>, number: u64) -> bool {
        table.find(&hash(number), |entry| Some(*entry)) == Some(number)
    }

    fn filled(capacity: u64, numbers: std::ops::Range<u64>) -> Table<u64> {
        let table = Table::new(capacity);
        numbers.for_each(|number| table.insert(hash(number), number));
        table
    }

    #[test]
    fn as_many_as_there_are_places_are_kept_wherever_their_hashes_fall() {
        let table = filled(1_000, 0..1_000);
        assert!((0..1_000).all(|number| has(&table, number)));
        assert_eq!(table.found(), 1_000);
    }

    #[test]
    fn no_more_than_the_bound_is_held() {
        let table = filled(100, 0..5_000);
        let held: usize = table.parts.iter().map(|part| part.places.read().unwrap().entries.len()).sum();
        let in_order: usize = table.parts.iter().map(|part| part.places.read().unwrap().order.len()).sum();
        assert_eq!((held, in_order), (100, 100));
        assert!(!has(&filled(0, 0..1), 0), "no places, nothing kept");
    }

    #[test]
    fn entries_in_use_outlive_a_flood_of_entries_that_are_used_once() {
        let table = filled(1_000, 0..100);
        for number in 100..50_000 {
            table.insert(hash(number), number);
            assert!(has(&table, number % 100), "{number}");
        }
    }

    #[test]
    fn what_is_put_in_twice_takes_one_place() {
        let table = filled(2, 0..1);
        table.insert(hash(0), 0);
        table.insert(hash(1), 1);
        assert!(has(&table, 0) && has(&table, 1));
    }

    #[test]
    fn an_entry_that_was_looked_at_in_vain_is_not_found_and_goes_first() {
        let table = filled(3, 0..3);
        assert!(has(&table, 0) && has(&table, 2));
        assert_eq!(table.find(&hash(1), |_| None::<()>), None);
        assert_eq!(table.found(), 2);
        table.insert(hash(3), 3);
        assert_eq!([0, 1, 2, 3].map(|number| has(&table, number)), [true, false, true, true]);
    }
}
