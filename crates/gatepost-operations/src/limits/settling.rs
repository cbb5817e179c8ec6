//! This file is where this node and the store take turns about the quotas: what is written, and what others granted.

use tokio::sync::{Mutex, MutexGuard, Notify};

/// How this node and the store tell each other what was granted.
#[derive(Default)]
pub(crate) struct Settling {
    /// Of what is being written nobody can say yet whether an answer of the store counts it: one at a time.
    one_at_a_time: Mutex<()>,
    wanted: Notify,
}

impl Settling {
    /// Whoever holds this is the only one that writes counts or looks up what others granted.
    pub(crate) async fn alone(&self) -> MutexGuard<'_, ()> {
        self.one_at_a_time.lock().await
    }

    /// A client asked of whom nothing was heard for a while.
    pub(super) fn want(&self) {
        self.wanted.notify_one();
    }

    /// Waits until a client asked of whom nothing was heard for a while.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}
