//! This file is where good verdicts are remembered, so that a token is verified once and not at every call.
//!
//! Only good ones: a flood of forged tokens can't push them out. An entry is looked through at every read and is dead
//! when the token has expired and when its key is no longer there; revocations are asked at every call beside it.
//! Nothing but a hash of the token is kept.

mod table;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use gatepost_jose::{Micros, PublicKey};

use crate::caller::Caller;
use crate::ring::Ring;
use table::Table;

pub(crate) use table::TokenHash;

/// The moment of a read, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Micros,
    pub(crate) steady: Duration,
}

pub(crate) struct VerifiedTokens {
    entries: Table<Entry>,
    leeway: Duration,
    misses: AtomicU64,
}

struct Entry {
    caller: Caller,
    key: PublicKey,
    /// The ring that the key was last seen in.
    generation: AtomicU64,
    /// On the steady clock: a wall clock that is set back must not lengthen a life.
    ends: Duration,
}

impl VerifiedTokens {
    pub(crate) fn new(capacity: u64, leeway: Duration) -> Self {
        Self { entries: Table::new(capacity), leeway, misses: AtomicU64::new(0) }
    }

    /// How often a token was found, and how often it was not.
    pub(crate) fn lookups(&self) -> (u64, u64) {
        (self.entries.found(), self.misses.load(Relaxed))
    }

    /// Who presents this token, if it was verified before and is still good by these keys.
    pub(crate) fn find(&self, hash: &TokenHash, ring: &Ring, moment: Moment) -> Option<Caller> {
        self.entries.find(hash, |entry| {
            let is_good = !entry.has_expired(moment, self.leeway) && entry.is_by_a_key_of(ring);
            is_good.then(|| entry.caller.clone())
        })
    }

    /// Counts a token that was not found.
    pub(crate) fn missed(&self) {
        self.misses.fetch_add(1, Relaxed);
    }

    pub(crate) fn remember(&self, hash: TokenHash, caller: &Caller, ring: &Ring, moment: Moment) {
        let Some(key) = ring.find(caller.kid.as_str()) else { return };
        let left = caller.expires.saturating_add(self.leeway).0.saturating_sub(moment.now.0);
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        let entry = Entry {
            caller: caller.clone(),
            key: key.clone(),
            generation: AtomicU64::new(ring.generation),
            ends: moment.steady.saturating_add(left),
        };
        self.entries.insert(hash, entry);
    }
}

impl Entry {
    fn has_expired(&self, moment: Moment, leeway: Duration) -> bool {
        moment.steady >= self.ends || moment.now >= self.caller.expires.saturating_add(leeway)
    }

    /// Keys are compared once after each change of the ring.
    fn is_by_a_key_of(&self, ring: &Ring) -> bool {
        if self.generation.load(Relaxed) == ring.generation {
            return true;
        }
        let is_held = ring.holds(&self.key);
        if is_held {
            self.generation.store(ring.generation, Relaxed);
        }
        is_held
    }
}
