//! This file is where the program counts what it does: one typed function for each thing, labels from enums alone.
//!
//! Counting is an atomic addition, so it is done everywhere and never asked about.
//! Nothing here takes text from a caller: a label that a stranger chooses is a memory leak.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use gatepost_core::limits::Policy;
use gatepost_core::params::Door;
use gatepost_core::refusal::Code;

use super::logs::LogCounts;
use super::snapshot::{DoorSnapshot, SIGNING_BOUNDS, Snapshot};
use super::waits::{ShedCounts, Waits};
use crate::signing::Shed;

/// How a request for a token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With a token.
    Issued,
    /// With a refusal that is the caller's to mend.
    Refused,
    /// With 503: too much to do, or the store is away.
    Unavailable,
}

/// Every count of this process.
#[derive(Debug, Default)]
pub struct Metrics {
    origin: DoorCounts,
    standard: DoorCounts,
    refusals: [AtomicU64; Code::ALL.len()],
    signing: SigningCounts,
    waits: Waits,
    shed: ShedCounts,
    limited: [AtomicU64; Policy::ALL.len()],
    connections: AtomicU64,
    handshakes_failed: AtomicU64,
    malformed: AtomicU64,
    timed_out: AtomicU64,
    given_up: AtomicU64,
    panics: AtomicU64,
    feeds_signed: AtomicU64,
    log: OnceLock<LogCounts>,
}

#[derive(Debug, Default)]
struct DoorCounts {
    issued: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
}

#[derive(Debug, Default)]
struct SigningCounts {
    count: AtomicU64,
    micros: AtomicU64,
    longest: AtomicU64,
    buckets: [AtomicU64; SIGNING_BOUNDS.len() + 1],
}

impl Metrics {
    /// A request for a token has ended.
    pub fn token_requested(&self, door: Door, outcome: Outcome) {
        let counts = match door {
            Door::Origin => &self.origin,
            Door::Standard => &self.standard,
        };
        let count = match outcome {
            Outcome::Issued => &counts.issued,
            Outcome::Refused => &counts.refused,
            Outcome::Unavailable => &counts.unavailable,
        };
        count.fetch_add(1, Relaxed);
    }

    /// A limit refused somebody.
    pub fn limited(&self, policy: Policy) {
        for (count, _) in self.limited.iter().zip(Policy::ALL).filter(|(_, known)| *known == policy) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// A request for a token was refused with that code.
    pub fn token_refused(&self, code: Code) {
        let place = Code::ALL.iter().position(|known| *known == code);
        if let Some(count) = place.and_then(|place| self.refusals.get(place)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// A signature was had that long after it was asked for, waiting included.
    pub fn signed(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.signing.count.fetch_add(1, Relaxed);
        self.signing.micros.fetch_add(micros, Relaxed);
        self.signing.longest.fetch_max(micros, Relaxed);
        if let Some(bucket) = self.signing.buckets.get(SIGNING_BOUNDS.partition_point(|bound| *bound < took))
        {
            bucket.fetch_add(1, Relaxed);
        }
    }

    /// A request waited that long for a signing thread.
    pub fn waited_to_sign(&self, waited: Duration) {
        self.waits.add(waited);
    }

    /// A request was refused instead of signed.
    pub fn shed(&self, why: Shed) {
        self.shed.add(why);
    }

    /// A connection was accepted.
    pub fn connection_opened(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// A connection has ended.
    pub fn connection_closed(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// A TLS handshake came to nothing.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Relaxed);
    }

    /// A request was no proper HTTP.
    pub fn malformed(&self) {
        self.malformed.fetch_add(1, Relaxed);
    }

    /// A request took too long to arrive or to be answered.
    pub fn timed_out(&self) {
        self.timed_out.fetch_add(1, Relaxed);
    }

    /// A request was dropped before it had an answer: its caller hung up, or the server ended.
    pub fn given_up(&self) {
        self.given_up.fetch_add(1, Relaxed);
    }

    /// A handler panicked; its caller got a 500.
    pub fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    /// A revocation feed was signed.
    pub fn feed_signed(&self) {
        self.feeds_signed.fetch_add(1, Relaxed);
    }

    /// Tells where lost log lines are counted; the first caller is heard.
    pub fn watch_log(&self, counts: LogCounts) {
        let _ = self.log.set(counts);
    }

    /// All counts as they are now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            origin: self.origin.snapshot(),
            standard: self.standard.snapshot(),
            limited: Policy::ALL
                .into_iter()
                .zip(&self.limited)
                .map(|(policy, count)| (policy.as_str(), count.load(Relaxed)))
                .collect(),
            signatures: self.signing.count.load(Relaxed),
            signing_micros: self.signing.micros.load(Relaxed),
            longest_signing_micros: self.signing.longest.load(Relaxed),
            signing_buckets: self.signing.buckets.each_ref().map(|count| count.load(Relaxed)),
            refusals: self.refusals.each_ref().map(|count| count.load(Relaxed)),
            waits: self.waits.snapshot(),
            shed: self.shed.snapshot(),
            connections: self.connections.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
            malformed: self.malformed.load(Relaxed),
            timed_out: self.timed_out.load(Relaxed),
            given_up: self.given_up.load(Relaxed),
            panics: self.panics.load(Relaxed),
            feeds_signed: self.feeds_signed.load(Relaxed),
            log_lines_dropped: self.log.get().map_or(0, LogCounts::dropped),
        }
    }
}

impl DoorCounts {
    fn snapshot(&self) -> DoorSnapshot {
        DoorSnapshot {
            issued: self.issued.load(Relaxed),
            refused: self.refused.load(Relaxed),
            unavailable: self.unavailable.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_counted_in_its_own_place() {
        let metrics = Metrics::default();
        metrics.token_requested(Door::Origin, Outcome::Issued);
        metrics.token_requested(Door::Origin, Outcome::Issued);
        metrics.token_requested(Door::Standard, Outcome::Refused);
        metrics.token_requested(Door::Standard, Outcome::Unavailable);
        metrics.signed(Duration::from_micros(30));
        metrics.signed(Duration::from_micros(10));
        metrics.token_refused(Code::InvalidClient);
        metrics.shed(Shed::Client);
        metrics.shed(Shed::Stale);
        metrics.connection_opened();
        metrics.connection_opened();
        metrics.connection_closed();
        metrics.panicked();
        metrics.limited(Policy::Day);
        metrics.limited(Policy::Day);

        let expected = Snapshot {
            origin: DoorSnapshot { issued: 2, ..DoorSnapshot::default() },
            standard: DoorSnapshot { refused: 1, unavailable: 1, ..DoorSnapshot::default() },
            limited: Policy::ALL
                .map(|policy| (policy.as_str(), if policy == Policy::Day { 2 } else { 0 }))
                .into(),
            signatures: 2,
            signing_micros: 40,
            longest_signing_micros: 30,
            signing_buckets: [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            shed: [1, 0, 1, 0],
            refusals: [0, 1, 0, 0, 0, 0, 0, 0, 0],
            connections: 1,
            panics: 1,
            ..Snapshot::default()
        };
        assert_eq!(metrics.snapshot(), expected);
    }
}
