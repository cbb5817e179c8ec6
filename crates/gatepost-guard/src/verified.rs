//! This file is where good verdicts are remembered, so that a token is verified once and not at every call.
//!
//! Only good ones: a flood of forged tokens can't push them out. An entry is looked through at every read and dies
//! when the token expires, when its key is no longer there and when it is revoked; nothing but a hash of the token
//! is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use gatepost_jose::{Micros, PublicKey};
use moka::sync::Cache;

use crate::caller::Caller;
use crate::ring::Ring;

type TokenHash = [u8; 32];

/// The moment of a read, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Micros,
    pub(crate) steady: Duration,
}

pub(crate) struct VerifiedTokens {
    entries: Cache<TokenHash, Arc<Entry>>,
    leeway: Duration,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Entry {
    caller: Caller,
    key: PublicKey,
    /// The ring that the key was last seen in.
    generation: u64,
    /// On the steady clock: a wall clock that is set back must not lengthen a life.
    ends: Duration,
}

impl VerifiedTokens {
    pub(crate) fn new(capacity: u64, leeway: Duration) -> Self {
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { entries: Cache::new(capacity), leeway, hits, misses }
    }

    /// How often a token was found, and how often it was not.
    pub(crate) fn lookups(&self) -> (u64, u64) {
        (self.hits.load(Relaxed), self.misses.load(Relaxed))
    }

    pub(crate) fn find(&self, token: &str, ring: &Ring, moment: Moment) -> Option<Caller> {
        let found = self.still_good(token, ring, moment);
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Relaxed);
        found
    }

    fn still_good(&self, token: &str, ring: &Ring, moment: Moment) -> Option<Caller> {
        let hash = hash(token)?;
        let entry = self.entries.get(&hash)?;
        let expired =
            moment.steady >= entry.ends || moment.now >= entry.caller.expires.saturating_add(self.leeway);
        let withdrawn = entry.generation != ring.generation && !ring.holds(&entry.key);
        if expired || withdrawn {
            self.entries.invalidate(&hash);
            return None;
        }
        Some(entry.caller.clone())
    }

    pub(crate) fn remember(&self, token: &str, caller: &Caller, ring: &Ring, moment: Moment) {
        let (Some(hash), Some(key)) = (hash(token), ring.find(caller.kid.as_str())) else { return };
        let left = caller.expires.saturating_add(self.leeway).0.saturating_sub(moment.now.0);
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        let entry = Entry {
            caller: caller.clone(),
            key: key.clone(),
            generation: ring.generation,
            ends: moment.steady.saturating_add(left),
        };
        self.entries.insert(hash, Arc::new(entry));
    }

    pub(crate) fn forget(&self, token: &str) {
        if let Some(hash) = hash(token) {
            self.entries.invalidate(&hash);
        }
    }
}

fn hash(token: &str) -> Option<TokenHash> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}
