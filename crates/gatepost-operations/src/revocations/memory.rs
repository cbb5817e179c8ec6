//! This file is where what is revoked is held in memory, as the store had it when it was last asked.

use std::sync::Arc;

use arc_swap::ArcSwap;
use gatepost_core::time::Timestamp;
use gatepost_store::Store;

use super::places::UnderWay;
use super::set::Set;
use crate::failure::Failure;

/// What is revoked now.
#[derive(Default)]
pub struct Revocations {
    set: ArcSwap<Set>,
    /// Those of single tokens that are being written.
    pub(super) under_way: UnderWay,
}

const AT_ONCE: u32 = 1_000;

impl Revocations {
    /// Reads what came after what is known, and lets go of what is over.
    pub async fn take_up(&self, store: &dyn Store, now: Timestamp) -> Result<(), Failure> {
        let mut next = Set::clone(&self.set.load());
        let known = next.seq;
        loop {
            let found = store.revocations(next.seq, now, AT_ONCE).await?;
            let more = u32::try_from(found.len()).is_ok_and(|count| count >= AT_ONCE);
            found.into_iter().for_each(|(seq, revocation)| next.insert(seq, revocation));
            if !more {
                break;
            }
        }
        // A state that says the same is kept: what was made of it stays good.
        if next.let_go(now) || next.seq > known {
            self.set.store(Arc::new(next));
        }
        Ok(())
    }

    /// What is revoked at this moment.
    pub fn now(&self) -> Arc<Set> {
        self.set.load_full()
    }

    /// Lets go of what is over.
    pub(super) fn let_go(&self, now: Timestamp) {
        self.set.rcu(|set| {
            let mut next = Set::clone(set);
            if next.let_go(now) { Arc::new(next) } else { Arc::clone(set) }
        });
    }
}
