//! This file is where it stands what handlers share.

use std::sync::Arc;

use gatepost_operations::gate::Gate;
use tokio::sync::watch;

use crate::http::outbound::Outbound;
use crate::oauth::feeds::Feeds;
use crate::oauth::verifiers::Verifiers;

/// What handlers share; cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    /// The operations' side.
    pub(crate) gate: Arc<Gate>,
    /// The judges of all APIs' tokens.
    pub(crate) verifiers: Verifiers,
    /// The revocation feeds of all APIs.
    pub(crate) feeds: Arc<Feeds>,
    stopping: Arc<watch::Sender<bool>>,
}

impl App {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        match Outbound::new(gate.config.clients.jwks_uri_ca.as_deref()) {
            Ok(outbound) => gate.client_jwks.lend(Arc::new(outbound)),
            Err(why) => {
                tracing::error!(%why, "no key set of a client can be fetched; those that are stored still count");
            }
        }
        Self {
            verifiers: Verifiers::new(Arc::clone(&gate)),
            feeds: Arc::default(),
            gate,
            stopping: Arc::default(),
        }
    }

    /// From now on `/readyz` says no, so that balancers look elsewhere.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Tells when the server is about to stop: wakes those whose answers wait.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}
