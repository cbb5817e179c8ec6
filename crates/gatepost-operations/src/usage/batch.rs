//! This file is where counts are as they are written, some at a time.

use gatepost_core::usage::{ClientUsage, SecretUsage};

/// Counts in the order of their ids.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) clients: Vec<ClientUsage>,
    pub(super) secrets: Vec<SecretUsage>,
}

impl Batch {
    /// The first of each kind, at most so many.
    pub(super) fn first(&self, most: usize) -> (&[ClientUsage], &[SecretUsage]) {
        let (clients, secrets) = (self.clients.len().min(most), self.secrets.len().min(most));
        (self.clients.get(..clients).unwrap_or_default(), self.secrets.get(..secrets).unwrap_or_default())
    }

    /// Lets them go.
    pub(super) fn skip(&mut self, most: usize) {
        self.clients.drain(..self.clients.len().min(most));
        self.secrets.drain(..self.secrets.len().min(most));
    }

    /// How many there are of the more frequent kind.
    pub(super) fn len(&self) -> usize {
        self.clients.len().max(self.secrets.len())
    }
}
