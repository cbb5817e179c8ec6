//! This file is where an operation finds its API.

use std::sync::Arc;

use gatepost_core::apis::ApiWithScopes;

use crate::failure::Failure;
use crate::gate::Gate;

/// The API of that name or UUID, as this node knows it now.
pub(crate) fn find(gate: &Gate, api: &str) -> Result<Arc<ApiWithScopes>, Failure> {
    let ring = gate.ring();
    let named =
        |known: &&Arc<ApiWithScopes>| known.api.name.as_str() == api || known.api.id.0.to_string() == api;
    let found = ring.apis().iter().find(named);
    found.map(Arc::clone).ok_or_else(|| Failure::not_found("api.not_found", "API", api, "gatepost api list"))
}
