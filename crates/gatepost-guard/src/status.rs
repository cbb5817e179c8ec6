//! This file is where a guard tells how it gets along: for metrics, and for health checks.
//!
//! Counting is an addition; reasons are counted by the names that refusals have, which come from enums, so that no
//! caller can make the list long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::refusal::Refusal;
use crate::revocations::FeedStatus;

/// A guard at one moment; counts begin with the guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardStatus {
    /// Calls that were let in; what a route refuses for its scopes is counted here too.
    pub accepted: u64,
    /// Calls that were not, by the code of their refusal.
    pub refused: BTreeMap<&'static str, u64>,
    /// Tokens that had been verified before.
    pub cache_hits: u64,
    /// Tokens that had not.
    pub cache_misses: u64,
    /// Signatures that were checked: for most of these tokens one; none for those that name no key of the API, and more
    /// for those that name none where several keys may sign such tokens.
    pub signature_checks: u64,
    /// How many keys verify.
    pub keys: usize,
    /// How long ago they were fetched; `None` before the first time.
    pub keys_age: Option<Duration>,
    /// Whether the last attempt to fetch them failed.
    pub keys_failing: bool,
    /// How the revocation feed is followed; `None` if none is.
    pub feed: Option<FeedStatus>,
}

/// How calls ended so far.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    accepted: AtomicU64,
    refused: RwLock<BTreeMap<&'static str, AtomicU64>>,
}

impl Verdicts {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        let code = refusal.code();
        if let Some(count) = self.refused.read().unwrap_or_else(PoisonError::into_inner).get(code) {
            count.fetch_add(1, Relaxed);
            return;
        }
        let mut refused = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        refused.entry(code).or_default().fetch_add(1, Relaxed);
    }

    pub(crate) fn so_far(&self) -> (u64, BTreeMap<&'static str, u64>) {
        let refused = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        let refused = refused.iter().map(|(code, count)| (*code, count.load(Relaxed)));
        (self.accepted.load(Relaxed), refused.collect())
    }
}
