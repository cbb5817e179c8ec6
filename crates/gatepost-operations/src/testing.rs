//! This file is where tests reach behind the operations: they look at rows, count lookups, and take the store away.
//!
//! The feature `testing` alone builds it, and only `dev-dependencies` ask for that.

use std::sync::Arc;

use gatepost_store::{CachedClients, Store};

use crate::expiry::Expiries;
use crate::gate::Gate;
use crate::journal::Journal;
use crate::master_key::MasterKey;

impl Gate {
    /// The state.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The clients that were asked for lately.
    pub fn clients(&self) -> &CachedClients {
        &self.clients
    }

    /// What happened, in memory.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What seals keys and tags secrets, as it is now.
    pub fn master_key(&self) -> Arc<MasterKey> {
        self.master()
    }

    /// Has requests wait in the queue, with nobody to sign for them until [`Gate::let_signing_go`]; whether it was in time,
    /// which is before the first signature.
    pub fn hold_signing(&self) -> bool {
        self.pool.hold()
    }

    /// Starts the signing threads that were held back.
    pub fn let_signing_go(&self) {
        self.pool.let_go();
    }

    /// How many requests wait for a signature.
    pub fn waiting_to_be_signed(&self) -> usize {
        self.pool.waiting()
    }

    /// Whether counts are on their way to the store just now.
    pub async fn is_writing_counts(&self) -> bool {
        tokio::select! {
            biased;
            _ = self.limits.settling.alone() => false,
            () = std::future::ready(()) => true,
        }
    }
}

impl Expiries {
    /// Nothing yet, and never more than the soonest `most`.
    pub fn with_room(most: u32) -> Self {
        Self::knowing(most)
    }
}
