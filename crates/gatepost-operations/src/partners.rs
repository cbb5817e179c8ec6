//! This file is where partners are administered.

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::name::{Name, Slug};
use gatepost_core::partners::{self, Partner, PartnerId};
use gatepost_store::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::revocations;

/// What is needed to register a partner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatePartner {
    /// What people call it.
    pub name: String,
    /// The id it had elsewhere; a new one is made when left out.
    #[serde(default)]
    pub id: Option<Uuid>,
}

/// A partner as lists and answers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartnerView {
    /// What tokens know it by.
    pub partner_id: Uuid,
    /// What commands know it by.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// `active` or `suspended`.
    pub status: &'static str,
    /// When it was registered (RFC 3339).
    pub created: String,
}

/// Registers a partner; a slug that is taken gets a number.
pub async fn create(gate: &Gate, actor: &Actor, request: CreatePartner) -> Result<PartnerView, Failure> {
    let name = Name::parse(&request.name)?;
    let slug = free_slug(gate, &name).await?;
    let id = match request.id {
        Some(id) => id,
        None => gate.entropy.uuid()?,
    };

    let partner = partners::register(PartnerId(id), slug, name, gate.clock.now());
    let view = PartnerView::of(&partner);
    gate.apply(actor, vec![Change::PartnerCreated(partner)]).await?;
    Ok(view)
}

/// All partners, in order of their slugs.
pub async fn list(gate: &Gate) -> Result<Vec<PartnerView>, Failure> {
    Ok(gate.store.partners(Page::LONGEST).await?.iter().map(PartnerView::of).collect())
}

/// The partner of that UUID or slug.
pub async fn show(gate: &Gate, partner: &str) -> Result<PartnerView, Failure> {
    Ok(PartnerView::of(&find(gate, partner).await?))
}

/// Gives the partner another name.
pub async fn rename(gate: &Gate, actor: &Actor, partner: &str, name: &str) -> Result<PartnerView, Failure> {
    let name = Name::parse(name)?;
    let found = find(gate, partner).await?;
    gate.apply(actor, vec![partners::rename(&found, name)]).await?;
    show(gate, partner).await
}

/// Stops the partner's clients; nothing happens if they are stopped already.
pub async fn suspend(gate: &Gate, actor: &Actor, partner: &str) -> Result<PartnerView, Failure> {
    let found = find(gate, partner).await?;
    if let Some(change) = partners::suspend(&found) {
        // Suspension ends live tokens too, for good: resuming revives none.
        let tokens = revocations::of_stopped_partner(gate, found.id).await?;
        gate.apply(actor, vec![change, tokens]).await?;
    }
    show(gate, partner).await
}

/// Lets the partner's clients get tokens again; nothing happens if they may already.
pub async fn resume(gate: &Gate, actor: &Actor, partner: &str) -> Result<PartnerView, Failure> {
    let found = find(gate, partner).await?;
    gate.apply(actor, partners::resume(&found).into_iter().collect()).await?;
    show(gate, partner).await
}

/// Deletes a partner that has no clients.
pub async fn delete(gate: &Gate, actor: &Actor, partner: &str) -> Result<(), Failure> {
    let found = find(gate, partner).await?;
    gate.apply(actor, vec![Change::PartnerDeleted(found.id)]).await
}

pub(crate) async fn find(gate: &Gate, partner: &str) -> Result<Partner, Failure> {
    let by_id = Uuid::try_parse(partner).ok().map(PartnerId);
    let found = match (by_id, Slug::parse(partner)) {
        (Some(id), _) => gate.store.partner(id).await?,
        (None, Ok(slug)) => gate.store.partner_by_slug(&slug).await?,
        (None, Err(_)) => None,
    };
    found.ok_or_else(|| Failure::not_found("partner.not_found", "partner", partner, "gatepost partner list"))
}

async fn free_slug(gate: &Gate, name: &Name) -> Result<Slug, Failure> {
    let slug = name.slug();
    let mut free = slug.clone();
    for number in 2..1_000 {
        if gate.store.partner_by_slug(&free).await?.is_none() {
            break;
        }
        free = slug.numbered(number);
    }
    Ok(free)
}

impl PartnerView {
    fn of(partner: &Partner) -> Self {
        Self {
            partner_id: partner.id.0,
            slug: partner.slug.as_str().to_owned(),
            name: partner.name.as_str().to_owned(),
            status: partner.status.as_str(),
            created: crate::clock::written(partner.created),
        }
    }
}
