//! This file is where a connection keeps its time: what it waits for, since when, and when that has been too long.
//!
//! The filter notes bytes, the service notes requests, the connection's loop asks when to step in.
//! All three run in one task for HTTP/1; HTTP/2 answers streams in others, hence the atomics.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use crate::http::bounds::Bounds;
use crate::http::malformed::Malformed;

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Progress {
    /// Told when nothing is in flight any more: somebody may wait for a connection to end.
    idle: Arc<Notify>,
    /// Woken then too: what was read ahead on the connection itself may go on.
    next: AtomicWaker,
    opened: Instant,
    /// Requests that were begun, which is also the number of the next one.
    begun: AtomicU64,
    /// Requests that were begun and not answered to the last byte.
    in_flight: AtomicUsize,
    /// Milliseconds after `opened` when the last answer ended.
    quiet_since: AtomicU64,
    /// Milliseconds after `opened`, plus one, when an incomplete head began; 0 without one.
    head_since: AtomicU64,
    /// Milliseconds after `opened` when a byte last moved.
    moved: AtomicU64,
    /// Whether the incomplete head has had its time.
    overdue: AtomicBool,
    /// Whether the server ends, so that no answer may invite another request.
    last: AtomicBool,
    /// Which request is turned away, and why; the last one of its connection.
    turned_away: OnceLock<(u64, Malformed)>,
}

/// What a connection's loop does when the time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing is asked: close.
    Idle,
    /// The head does not get finished: answer 408.
    Head,
    /// An answer is not taken: cut.
    Stalled,
}

impl Progress {
    pub(super) fn new(idle: Arc<Notify>) -> Self {
        Self {
            idle,
            next: AtomicWaker::new(),
            opened: Instant::now(),
            begun: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            overdue: AtomicBool::new(false),
            last: AtomicBool::new(false),
            turned_away: OnceLock::new(),
        }
    }

    /// A request begins; why it is turned away, if it is.
    pub(super) fn begin(&self) -> Option<Malformed> {
        self.in_flight.fetch_add(1, Relaxed);
        let number = self.begun.fetch_add(1, Relaxed);
        self.turned_away.get().filter(|(turned, _)| *turned == number).map(|(_, why)| *why)
    }

    /// A request has been answered to the last byte, or given up.
    pub(super) fn end(&self) {
        self.quiet_since.store(self.now(), Relaxed);
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.idle.notify_one();
            self.next.wake();
        }
    }

    /// Bytes have moved.
    pub(super) fn moved(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// A head is incomplete; only the first call for it counts.
    pub(super) fn head_begun(&self) {
        let _ = self.head_since.compare_exchange(0, self.now() + 1, Relaxed, Relaxed);
    }

    /// The head is complete.
    pub(super) fn head_done(&self) {
        self.head_since.store(0, Relaxed);
    }

    /// The request of that number is turned away.
    pub(super) fn turn_away(&self, number: u64, why: Malformed) {
        self.head_done();
        // The first one is the last: nothing is read after it.
        let _ = self.turned_away.set((number, why));
    }

    /// Tells the filter that the incomplete head has had its time.
    pub(super) fn expire_head(&self) {
        self.overdue.store(true, Relaxed);
    }

    /// Whether the incomplete head has had its time.
    pub(super) fn head_is_overdue(&self) -> bool {
        self.overdue.load(Relaxed)
    }

    /// From now on answers tell that the connection closes.
    pub(super) fn expect_no_more(&self) {
        self.last.store(true, Relaxed);
    }

    /// Whether answers tell that the connection closes.
    pub(super) fn expects_no_more(&self) -> bool {
        self.last.load(Relaxed)
    }

    /// How many requests were begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    /// Whether a request is in flight.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Relaxed) > 0
    }

    /// Whether so many requests were begun, and all of them have ended.
    pub(super) fn has_ended(&self, requests: u64) -> bool {
        self.begun() >= requests && !self.is_busy()
    }

    /// Has the connection polled again when no request is in flight any more.
    pub(super) fn wake_when_idle(&self, waker: &Waker) {
        self.next.register(waker);
    }

    /// When the last answer ended.
    pub(super) fn quiet_since(&self) -> Instant {
        self.after(self.quiet_since.load(Relaxed), Duration::ZERO)
    }

    /// When the loop has to step in if nothing happens until then, and to do what.
    pub(super) fn due(&self, bounds: &Bounds) -> (Instant, Due) {
        let quiet = self.quiet_since.load(Relaxed);
        let head = self.head_since.load(Relaxed);
        if self.is_busy() {
            // A handler may be silent for its whole time, after a body that was slow for its whole time.
            let patience = bounds.idle_timeout.max(bounds.request_timeout.saturating_mul(2));
            return (self.after(self.moved.load(Relaxed), patience), Due::Stalled);
        }
        if head > 0 {
            return (self.after(quiet.max(head - 1), head_patience(bounds)), Due::Head);
        }
        let is_new = self.begun.load(Relaxed) == 0;
        let patience =
            if is_new { head_patience(bounds).min(bounds.idle_timeout) } else { bounds.idle_timeout };
        (self.after(quiet, patience), Due::Idle)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn after(&self, millis: u64, patience: Duration) -> Instant {
        self.opened + Duration::from_millis(millis) + patience
    }
}

/// A little less than is allowed: by the end of the time the connection is to be closed, not about to be.
fn head_patience(bounds: &Bounds) -> Duration {
    bounds.header_timeout - bounds.header_timeout / 20
}
