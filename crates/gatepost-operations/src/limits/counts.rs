//! This file is where all that is counted of clients and addresses is held together; none of it asks for anything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_core::usage::ClientUsage;

use super::addresses::Addresses;
use super::counted::Counted;
use super::failures::Failures;
use super::hoarders::Hoarders;
use super::replay::Kept;
use super::settling::Settling;

/// What is counted of clients and addresses.
#[derive(Default)]
pub(crate) struct Limits {
    pub(super) failures: Failures,
    pub(super) addresses: Addresses,
    pub(super) clients: Arc<Counted>,
    pub(super) kept: Kept,
    pub(super) hoarders: Hoarders,
    /// What of the quotas is settled with the store.
    pub(crate) settling: Settling,
    /// Whether a client with a quota got a token since the start.
    pub(super) has_quotas: AtomicBool,
}

impl Limits {
    /// Whether a client with a quota got a token since the start: then counts are written without delay.
    pub(crate) fn has_quotas(&self) -> bool {
        self.has_quotas.load(Ordering::Relaxed)
    }

    /// These counts are in the store now.
    pub(crate) fn written(&self, counts: &[ClientUsage]) {
        for count in counts.iter().filter(|count| count.issued > 0) {
            self.clients.written(&count.client, count.hour, count.issued);
        }
    }
}
