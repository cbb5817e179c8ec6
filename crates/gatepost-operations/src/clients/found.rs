//! This file is where an operation finds its client, and what it may be decided on.

use gatepost_core::change::Basis;
use gatepost_core::clients::{Client, ClientId, ClientRecord};
use gatepost_core::secret::SecretKind;

use crate::failure::Failure;
use crate::gate::Gate;

/// The client of that id, with all that belongs to it, as the store has it now.
pub(crate) async fn find(gate: &Gate, client: &str) -> Result<ClientRecord, Failure> {
    let found = match ClientId::parse(client) {
        Some(id) => gate.store.client_record(&id).await?,
        None => None,
    };
    found.ok_or_else(|| Failure::not_found("client.not_found", "client", client, "gatepost client list"))
}

/// What the bounds on a client's secrets and keys are decided on.
pub(crate) fn basis(found: &ClientRecord) -> Basis {
    Basis::Client(found.client.id.clone(), found.client.version)
}

/// Of which kind its secrets are.
pub(crate) fn kind(client: &Client) -> SecretKind {
    if client.is_test { SecretKind::Test } else { SecretKind::Live }
}
