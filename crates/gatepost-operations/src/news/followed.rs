//! This file is where it is known how far a node has followed the changes, and when its store last answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

/// How far a node has followed the changes.
pub struct Followed {
    /// Up to which change; whoever holds the lock takes up what comes after it.
    pub(super) seen: Mutex<i64>,
    /// Microseconds on the steady clock.
    heard: AtomicU64,
    changed: watch::Sender<i64>,
}

impl Followed {
    /// Everything up to `head` is known, as the store said when it was asked at `steady`.
    pub fn up_to(head: i64, steady: Duration) -> Self {
        let (changed, _) = watch::channel(head);
        Self { seen: Mutex::new(head), heard: AtomicU64::new(micros(steady)), changed }
    }

    /// Tells when something changed: wakes those who wait for news.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }

    /// The number of the last change that was taken up.
    pub fn seq(&self) -> i64 {
        *self.changed.borrow()
    }

    /// How old the news are: since that long ago nothing is known of what others changed.
    pub fn age(&self, steady: Duration) -> Duration {
        steady.saturating_sub(Duration::from_micros(self.heard.load(Ordering::Acquire)))
    }

    /// Everything up to that change has been taken up: wakes those who wait.
    pub(super) fn tell(&self, seq: i64) {
        self.changed.send_replace(seq);
    }

    /// Nothing is missing of what the store said when it was asked at `steady`.
    pub(super) fn heard(&self, steady: Duration) {
        self.heard.store(micros(steady), Ordering::Release);
    }
}

fn micros(steady: Duration) -> u64 {
    u64::try_from(steady.as_micros()).unwrap_or(u64::MAX)
}
