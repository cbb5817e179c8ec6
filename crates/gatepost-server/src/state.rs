//! This file is where it stands what handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_operations::gate::Gate;

use crate::http::outbound::Outbound;

/// What handlers share; cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    /// The operations' side.
    pub(crate) gate: Arc<Gate>,
    stopping: Arc<AtomicBool>,
}

impl App {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        match Outbound::new(gate.config.clients.jwks_uri_ca.as_deref()) {
            Ok(outbound) => gate.client_jwks.lend(Arc::new(outbound)),
            Err(why) => {
                tracing::error!(%why, "no key set of a client can be fetched; stored keys are not touched")
            }
        }
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
