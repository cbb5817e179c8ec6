//! This file is where keys are kept fresh: one fetch at a time, a floor between fetches, old keys while fetches fail.
//!
//! Idea: a call never waits for the network if keys are at hand and not long overdue; a background fetch renews
//! them once they are older than their max-age. A key id nobody knows makes one fetch, and all who wait share it.
//! Limits: a source that fails is asked again no sooner than the floor (a second while there are no keys at all);
//! keys older than `stale_for` are not used.
//! Price: a key that is withdrawn counts up to its max-age longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::key_source::{FetchError, Fetched, KeySource};
use crate::refusal::Refusal;
use crate::ring::Ring;

const DEFAULT_MAX_AGE: Duration = Duration::from_secs(300);
/// Without any keys every call is refused, so the source is asked sooner.
const FLOOR_WITHOUT_KEYS: Duration = Duration::from_secs(1);

/// The intervals, on the steady clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// Between two fetches.
    pub(crate) floor: Duration,
    /// How long keys are used while fetches fail.
    pub(crate) stale_for: Duration,
}

pub(crate) struct KeyCache {
    source: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
    timing: Timing,
    ring: ArcSwap<Ring>,
    flight: Mutex<Flight>,
    failing: AtomicBool,
}

/// What the fetch under way, or the next one, needs to know; whoever holds it is the only one that fetches.
#[derive(Default)]
struct Flight {
    last_attempt: Option<Duration>,
    etag: Option<String>,
}

enum Age {
    Fresh,
    Due,
    Overdue,
    Unusable,
}

impl KeyCache {
    pub(crate) fn new(source: Arc<dyn KeySource>, clock: Arc<dyn Clock>, timing: Timing) -> Arc<Self> {
        Arc::new(Self {
            source,
            clock,
            timing,
            ring: ArcSwap::default(),
            flight: Mutex::default(),
            failing: AtomicBool::new(false),
        })
    }

    /// The keys to judge by now.
    pub(crate) async fn current(self: &Arc<Self>) -> Result<Arc<Ring>, Refusal> {
        let ring = self.ring.load_full();
        match self.age(&ring) {
            Age::Fresh => Ok(ring),
            Age::Due => {
                self.renew_in_background(&ring);
                Ok(ring)
            }
            Age::Overdue => Ok(self.newer_than(&ring, self.timing.floor).await),
            Age::Unusable => self.usable(self.newer_than(&ring, FLOOR_WITHOUT_KEYS).await),
        }
    }

    /// The keys at hand, if they are no older than their source allows.
    pub(crate) fn fresh(&self, steady: Duration) -> Option<arc_swap::Guard<Arc<Ring>>> {
        let ring = self.ring.load();
        let is_fresh = ring.was_fetched() && steady.saturating_sub(ring.fetched) <= ring.max_age;
        is_fresh.then_some(ring)
    }

    /// Keys fetched after these, if the floor allows it; else the same.
    pub(crate) async fn refetched(self: &Arc<Self>, seen: &Arc<Ring>) -> Arc<Ring> {
        self.newer_than(seen, self.timing.floor).await
    }

    /// Fetches at once, whatever the floor.
    pub(crate) async fn renew(self: &Arc<Self>) -> Result<(), FetchError> {
        let mut flight = self.flight.lock().await;
        self.fetch(&mut flight).await
    }

    /// The mark of the keys at hand, if their source gave one.
    pub(crate) async fn etag(&self) -> Option<String> {
        self.flight.lock().await.etag.clone()
    }

    /// How many keys are at hand.
    pub(crate) fn count(&self) -> usize {
        self.ring.load().keys().len()
    }

    /// How long ago they were fetched; `None` before the first time.
    pub(crate) fn age_of_keys(&self) -> Option<Duration> {
        let ring = self.ring.load();
        ring.was_fetched().then(|| self.clock.steady().saturating_sub(ring.fetched))
    }

    /// Whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    fn age(&self, ring: &Ring) -> Age {
        let age = self.clock.steady().saturating_sub(ring.fetched);
        if !ring.was_fetched() || age > ring.max_age.saturating_add(self.timing.stale_for) {
            return Age::Unusable;
        }
        if age <= ring.max_age {
            return Age::Fresh;
        }
        // Nobody called for a long time: what was withdrawn meanwhile must not count. While the source fails,
        // waiting for it would only make every call slow.
        let quiet = age > ring.max_age.saturating_mul(2) && !self.failing.load(Ordering::Relaxed);
        if quiet { Age::Overdue } else { Age::Due }
    }

    fn usable(&self, ring: Arc<Ring>) -> Result<Arc<Ring>, Refusal> {
        match self.age(&ring) {
            Age::Fresh | Age::Due | Age::Overdue => Ok(ring),
            Age::Unusable => Err(Refusal::NotReady),
        }
    }

    fn renew_in_background(self: &Arc<Self>, seen: &Arc<Ring>) {
        if self.flight.try_lock().is_ok_and(|flight| self.may_fetch(&flight, self.timing.floor)) {
            let (cache, seen) = (Arc::clone(self), Arc::clone(seen));
            tokio::spawn(async move { cache.fetch_unless_newer(&seen, cache.timing.floor).await });
        }
    }

    /// The fetch runs in a task of its own: a caller who hangs up must not end it for the others who wait.
    async fn newer_than(self: &Arc<Self>, seen: &Arc<Ring>, floor: Duration) -> Arc<Ring> {
        if self.flight.try_lock().is_ok_and(|flight| !self.may_fetch(&flight, floor)) {
            return self.ring.load_full();
        }
        let (cache, known) = (Arc::clone(self), Arc::clone(seen));
        let fetch = tokio::spawn(async move { cache.fetch_unless_newer(&known, floor).await });
        // It ends early only when the runtime does.
        let _ = fetch.await;
        self.ring.load_full()
    }

    async fn fetch_unless_newer(&self, seen: &Arc<Ring>, floor: Duration) {
        let mut flight = self.flight.lock().await;
        // Whoever waited here finds what the one before brought.
        if Arc::ptr_eq(seen, &self.ring.load_full()) && self.may_fetch(&flight, floor) {
            let _ = self.fetch(&mut flight).await;
        }
    }

    fn may_fetch(&self, flight: &Flight, floor: Duration) -> bool {
        flight.last_attempt.is_none_or(|last| self.clock.steady().saturating_sub(last) >= floor)
    }

    async fn fetch(&self, flight: &mut Flight) -> Result<(), FetchError> {
        flight.last_attempt = Some(self.clock.steady());
        let outcome =
            self.source.fetch(flight.etag.as_deref()).await.and_then(|fetched| self.store(flight, fetched));
        match &outcome {
            Ok(()) => self.failing.store(false, Ordering::Relaxed),
            Err(error) => {
                self.failing.store(true, Ordering::Relaxed);
                tracing::warn!(%error, "signing keys could not be fetched; the ones at hand are kept");
            }
        }
        outcome
    }

    fn store(&self, flight: &mut Flight, fetched: Fetched) -> Result<(), FetchError> {
        let old = self.ring.load_full();
        let (mut ring, max_age) = match fetched {
            Fetched::Unchanged { .. } if !old.was_fetched() => return Err(FetchError::NothingToKeep),
            Fetched::Unchanged { max_age } => (Ring::clone(&old), max_age),
            Fetched::Keys { keys, etag, max_age } => {
                flight.etag = etag;
                (old.followed_by(keys), max_age)
            }
        };
        if ring.keys().is_empty() {
            tracing::warn!("the key source has no usable keys; every token is refused");
        }
        ring.max_age = max_age.unwrap_or(DEFAULT_MAX_AGE);
        ring.fetched = self.clock.steady();
        self.ring.store(Arc::new(ring));
        Ok(())
    }
}
