//! This file is where a node takes up what was changed, by itself or by others: it drops just that from memory.
//!
//! One at a time: of two that took up news side by side the slower could put back what the faster had dropped.
//! Requests don't wait for it; they read what is there.

use std::sync::atomic::{AtomicI64, Ordering};

use gatepost_core::change::Subject;
use gatepost_core::time::Timestamp;
use gatepost_store::News;
use tokio::sync::{Mutex, watch};

use crate::failure::Failure;
use crate::gate::Gate;

/// More changes than this at once are not followed one by one.
const AT_ONCE: u32 = 1_000;

/// How far a node has followed the changes.
pub struct Followed {
    seen: Mutex<i64>,
    heard: AtomicI64,
    changed: watch::Sender<i64>,
}

impl Followed {
    /// Everything up to `head` is known, as the store said at `now`.
    pub fn up_to(head: i64, now: Timestamp) -> Self {
        let (changed, _) = watch::channel(head);
        Self { seen: Mutex::new(head), heard: AtomicI64::new(now.micros()), changed }
    }

    /// Tells when something changed: wakes those who wait for news.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }

    /// When the store last answered a question for news.
    pub fn heard(&self) -> Timestamp {
        Timestamp::from_micros(self.heard.load(Ordering::Acquire))
    }
}

/// Drops what changed since the last look, here or on another node, from memory.
pub async fn take_up(gate: &Gate) -> Result<(), Failure> {
    let mut seen = gate.followed.seen.lock().await;
    // The head is read first: what is changed after that is seen the next time.
    let head = gate.store.head().await?;
    if head > *seen {
        *seen = drop_what_changed(gate, *seen, head).await?;
        gate.followed.changed.send_replace(*seen);
    }
    gate.followed.heard.store(gate.clock.now().micros(), Ordering::Release);
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
    // After too many changes everything was dropped, so all up to the head is taken up.
    Ok(if concerned.all_clients { head } else { news.last().map_or(seen, |item| item.seq) })
}

/// What in memory the news concern, beyond single clients and partners.
struct Concerned {
    all_clients: bool,
    ring: bool,
    revocations: bool,
}

impl Concerned {
    fn of(news: &[News]) -> Self {
        let too_many = u32::try_from(news.len()).is_ok_and(|count| count >= AT_ONCE);
        // What a newer version wrote and this one does not know may concern anything.
        let everything = too_many || news.iter().any(|item| item.subject.is_none());
        let mut concerned = Self { all_clients: everything, ring: everything, revocations: everything };
        for subject in news.iter().filter_map(|item| item.subject.as_ref()) {
            match subject {
                Subject::Client(_) | Subject::Partner(_) => {}
                Subject::Revocation(_) => concerned.revocations = true,
                Subject::Api(_) | Subject::Server => concerned.ring = true,
            }
        }
        concerned
    }
}
