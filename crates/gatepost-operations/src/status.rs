//! This file is where the state of things is summed up, for an operator and for those who balance load.

use std::time::Duration;

use serde::Serialize;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::news;
use crate::running::{self, Running};
use crate::setup;

/// The state of things.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The program's version.
    pub version: &'static str,
    /// Who the tokens say issued them.
    pub issuer: String,
    /// The store's engine and version.
    pub engine: String,
    /// Where the state is, without passwords.
    pub database: String,
    /// How many partners there are.
    pub partners: u64,
    /// How many clients there are.
    pub clients: u64,
    /// How many APIs there are.
    pub apis: usize,
    /// The number of the last change.
    pub changes: i64,
    /// Whether every API has a key to sign with.
    pub keys_complete: bool,
    /// The server that serves this folder, if one does.
    pub server: Option<Running>,
}

/// Sums up.
pub async fn status(gate: &Gate) -> Result<Status, Failure> {
    let ring = gate.ring();
    let counts = gate.store.counts().await?;
    Ok(Status {
        version: env!("CARGO_PKG_VERSION"),
        issuer: gate.issuer.as_str().to_owned(),
        engine: gate.store.engine().await?,
        database: setup::place(&gate.config),
        partners: counts.partners,
        clients: counts.clients,
        apis: ring.apis().len(),
        changes: gate.store.head().await?,
        keys_complete: ring.is_complete(),
        server: running::look(&gate.config.data),
    })
}

/// What a server needs to do its work, checked for `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The store answered lately.
    pub store: bool,
    /// Every API has a key to sign with.
    pub keys: bool,
}

impl Readiness {
    /// Whether all is there.
    pub const fn is_ready(self) -> bool {
        self.store && self.keys
    }
}

/// Checks from memory; the watch asks the store.
pub fn readiness(gate: &Gate) -> Readiness {
    let patience = gate.config.cache.refresh.saturating_mul(6).max(Duration::from_secs(3));
    Readiness { store: news::age(gate) <= patience, keys: gate.ring().is_complete() }
}
