//! This file is where it stands what handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_operations::gate::Gate;

/// What handlers share; cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    /// The operations' side.
    pub(crate) gate: Arc<Gate>,
    stopping: Arc<AtomicBool>,
}

impl App {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, stopping: Arc::default() }
    }

    /// From now on `/readyz` says no, so that balancers look elsewhere.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
