//! This file is where a node takes up what was changed, by itself or by others: it drops just that from memory.
//!
//! One at a time: of two that took up news side by side the slower could put back what the faster had dropped.
//! Requests don't wait for it; they read what is there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost_core::change::Subject;
use gatepost_store::News;
use tokio::sync::{Mutex, watch};

use crate::failure::Failure;
use crate::gate::Gate;

/// More changes than this at once are not followed one by one.
const AT_ONCE: u32 = 1_000;

/// How far a node has followed the changes.
pub struct Followed {
    seen: Mutex<i64>,
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
}

fn micros(steady: Duration) -> u64 {
    u64::try_from(steady.as_micros()).unwrap_or(u64::MAX)
}

/// Drops what changed since the last look, here or on another node, from memory.
pub async fn take_up(gate: &Gate) -> Result<(), Failure> {
    let mut seen = gate.followed.seen.lock().await;
    // An answer that was long under way may have been made when it was asked for.
    let asked = gate.clock.steady();
    // The head is read first: what is changed after that is seen the next time.
    let head = gate.store.head().await?;
    if head > *seen {
        *seen = drop_what_changed(gate, *seen, head).await?;
        gate.followed.changed.send_replace(*seen);
    }
    // Only now: while the store has been away for too long nobody is served before what was missed has been taken up.
    gate.followed.heard.store(micros(asked), Ordering::Release);
    Ok(())
}

/// Returns up to where the changes were followed.
async fn drop_what_changed(gate: &Gate, seen: i64, head: i64) -> Result<i64, Failure> {
    let news = gate.store.news(seen, AT_ONCE).await?;
    let concerned = Concerned::of(&news);

    if concerned.all_clients {
        gate.clients.forget_all();
        gate.clients.learn_ids().await?;
    }
    news.iter().filter_map(|item| item.subject.as_ref()).for_each(|subject| gate.clients.forget(subject));
    if concerned.ring {
        gate.reload_ring().await?;
    }
    if concerned.revocations {
        gate.revocations.take_up(&*gate.store, gate.clock.now()).await?;
    }
    // After the revocations: what is no longer about to expire because it has is revoked by then.
    if concerned.expiries {
        gate.expiries.take_up(&*gate.store, gate.clock.now()).await?;
    }
    // After too many changes everything was dropped, so all up to the head is taken up.
    Ok(if concerned.all_clients { head } else { news.last().map_or(seen, |item| item.seq) })
}

/// What in memory the news concern, beyond single clients and partners.
struct Concerned {
    all_clients: bool,
    ring: bool,
    revocations: bool,
    expiries: bool,
}

impl Concerned {
    fn of(news: &[News]) -> Self {
        let too_many = u32::try_from(news.len()).is_ok_and(|count| count >= AT_ONCE);
        // What a newer version wrote and this one does not know may concern anything.
        let everything = too_many || news.iter().any(|item| item.subject.is_none());
        let (all_clients, ring, revocations, expiries) = (everything, everything, everything, everything);
        let mut concerned = Self { all_clients, ring, revocations, expiries };
        for subject in news.iter().filter_map(|item| item.subject.as_ref()) {
            match subject {
                Subject::Client(_) | Subject::Partner(_) => concerned.expiries = true,
                Subject::Revocation(_) => concerned.revocations = true,
                Subject::Api(_) | Subject::Server => concerned.ring = true,
            }
        }
        concerned
    }
}
