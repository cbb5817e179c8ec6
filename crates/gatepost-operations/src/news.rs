//! This file is where a node takes up what was changed, by itself or by others: it drops just that from memory.
//! How old the news are says what it may still tell.
//!
//! One at a time: of two that took up news side by side the slower could put back what the faster had dropped.
//! Requests don't wait for it; they read what is there.

pub(crate) mod followed;

pub use followed::Followed;

use std::time::Duration;

use gatepost_core::change::Subject;
use gatepost_store::News;

use crate::failure::Failure;
use crate::gate::Gate;

/// More changes than this at once are not followed one by one.
const AT_ONCE: u32 = 1_000;
/// What is said about tokens is based on news no older than this (see `docs/integrate/introspection.md`).
const NEWS_LASTS: Duration = Duration::from_secs(1);

/// Drops what changed since the last look, here or on another node, from memory.
pub async fn take_up(gate: &Gate) -> Result<(), Failure> {
    let mut seen = gate.followed.seen.lock().await;
    // An answer that was long under way may have been made when it was asked for.
    let asked = gate.clock.steady();
    // The head is read first: what is changed after that is seen the next time.
    let head = gate.store.head().await?;
    if head > *seen {
        *seen = drop_what_changed(gate, *seen, head).await?;
        gate.followed.tell(*seen);
    }
    // Only now: while the store has been away for too long nobody is served before what was missed has been taken up.
    gate.followed.heard(asked);
    Ok(())
}

/// Whether what is known of revocations is of this second; if it is older, the store is asked once more.
pub async fn hears_the_store(gate: &Gate) -> bool {
    if age(gate) <= NEWS_LASTS {
        return true;
    }
    matches!(tokio::time::timeout(NEWS_LASTS, take_up(gate)).await, Ok(Ok(())))
}

/// Whether the store has been away for no longer than what is known may be used; nothing is asked.
pub fn is_within_grace(gate: &Gate) -> bool {
    age(gate) <= gate.config.cache.offline_grace
}

/// How long ago the store was last heard, by the steady clock.
pub fn age(gate: &Gate) -> Duration {
    gate.followed.age(gate.clock.steady())
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
