//! This file is where it is bounded how many single tokens are revoked: of one client, and for one API.
//!
//! The idea: each takes a place until it would have expired by itself, counted in memory with those that are being
//! written. The limit: nodes count what they have heard of, so for a second several may each fill the last places.
//! Ending all tokens of a client or partner takes no place: of these only the latest of each is kept.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::time::Timestamp;

use super::set::{Holder, Set};
use crate::failure::{Failure, Kind};

/// A token was not revoked.
#[derive(Debug)]
pub enum NotRevoked {
    /// There is no place for it.
    Full {
        /// When the first place comes back, if that is known.
        until: Option<Timestamp>,
        /// What is told.
        failure: Failure,
    },
    /// Anything else.
    Failed(Failure),
}

/// The revocations that are being written.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashMap<Holder, usize>>);

/// A place for one more, kept until that is in the set.
pub(super) struct Place<'a> {
    under_way: &'a UnderWay,
    holders: Vec<Holder>,
}

impl UnderWay {
    /// A place with each of the holders, if it has fewer than its most; `set` says what is revoked now.
    pub(super) fn place(
        &self,
        bounds: Vec<(Holder, usize)>,
        set: impl Fn() -> std::sync::Arc<Set>,
        let_go: impl Fn(),
    ) -> Result<Place<'_>, NotRevoked> {
        let mut under_way = self.lock();
        for (holder, most) in &bounds {
            let writing = under_way.get(holder).copied().unwrap_or(0);
            let is_full = || set().singles(holder).0.saturating_add(writing) >= *most;
            if is_full() {
                let_go();
            }
            if is_full() {
                return Err(full(holder, *most, set().singles(holder).1));
            }
        }
        let holders: Vec<_> = bounds.into_iter().map(|(holder, _)| holder).collect();
        for holder in &holders {
            let count = under_way.entry(holder.clone()).or_default();
            *count = count.saturating_add(1);
        }
        Ok(Place { under_way: self, holders })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        // No code that holds the lock can leave a number half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock();
        for holder in self.holders.drain(..) {
            match under_way.get(&holder).copied().unwrap_or(0).saturating_sub(1) {
                0 => drop(under_way.remove(&holder)),
                left => drop(under_way.insert(holder, left)),
            }
        }
    }
}

fn full(holder: &Holder, most: usize, until: Option<Timestamp>) -> NotRevoked {
    let fix = "wait until some have expired, end all tokens of the client with `gatepost token revoke --client`, or end its \
               secret and its tokens with `gatepost secret end --kill-tokens`";
    let failure = match holder {
        Holder::Client(_) => Failure::new(
            Kind::Conflict,
            "revocation.too_many",
            format!("the client has given back {most} tokens that have not expired yet"),
            "revocations.max_per_client bounds them",
            format!("{fix}; or raise revocations.max_per_client"),
        ),
        Holder::Api(_) => Failure::new(
            Kind::Conflict,
            "revocation.api_full",
            format!("{most} single tokens of the API are revoked that have not expired yet"),
            "revocations.max_per_api bounds them, for guards read no feed of any length",
            fix,
        ),
    };
    NotRevoked::Full { until, failure }
}

impl From<Failure> for NotRevoked {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<NotRevoked> for Failure {
    fn from(not: NotRevoked) -> Self {
        match not {
            NotRevoked::Full { failure, .. } | NotRevoked::Failed(failure) => failure,
        }
    }
}
