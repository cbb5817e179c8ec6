//! This file is where an operation finds its partner.

use gatepost_core::name::Slug;
use gatepost_core::partners::{Partner, PartnerId};
use uuid::Uuid;

use crate::failure::Failure;
use crate::gate::Gate;

/// The partner of that UUID or slug, as the store has it now.
pub(crate) async fn find(gate: &Gate, partner: &str) -> Result<Partner, Failure> {
    let by_id = Uuid::try_parse(partner).ok().map(PartnerId);
    let found = match (by_id, Slug::parse(partner)) {
        (Some(id), _) => gate.store.partner(id).await?,
        (None, Ok(slug)) => gate.store.partner_by_slug(&slug).await?,
        (None, Err(_)) => None,
    };
    found.ok_or_else(|| Failure::not_found("partner.not_found", "partner", partner, "gatepost partner list"))
}
