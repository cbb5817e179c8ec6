//! This file is where partners are administered.

pub(crate) mod found;

use gatepost_core::actor::Actor;
use gatepost_core::change::Change;
use gatepost_core::name::{Name, Slug};
use gatepost_core::partners::{self, HasExpired, Partner, PartnerId};
use gatepost_core::time::Timestamp;
use gatepost_store::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decision::Decision;
use crate::expiry::moment::Expires;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::revocations;
use found::find;

/// What is needed to register a partner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatePartner {
    /// What people call it.
    pub name: String,
    /// The id it had elsewhere; a new one is made when left out.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// When its clients shall get no more tokens.
    #[serde(default)]
    pub expires: Option<Expires>,
}

/// What may be changed of a partner; what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSettings {
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// When its clients shall get no more tokens.
    #[serde(default)]
    pub expires: Option<Expires>,
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
    /// `active`, `suspended` or `expired`.
    pub status: &'static str,
    /// From when on its clients get no more tokens (RFC 3339).
    pub expires: Option<String>,
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

    let now = gate.clock.now();
    let expires = request.expires.map_or(Ok(None), |expires| expires.moment(now))?;
    let partner = partners::register(PartnerId(id), slug, name, expires, now);
    let view = PartnerView::of(&partner, now);
    gate.apply(actor, vec![Change::PartnerCreated(partner)]).await?;
    Ok(view)
}

/// All partners, in order of their slugs.
pub async fn list(gate: &Gate) -> Result<Vec<PartnerView>, Failure> {
    let now = gate.clock.now();
    let all = gate.store.partners(Page::LONGEST).await?;
    Ok(all.iter().map(|partner| PartnerView::of(partner, now)).collect())
}

/// The partner of that UUID or slug.
pub async fn show(gate: &Gate, partner: &str) -> Result<PartnerView, Failure> {
    Ok(PartnerView::of(&find(gate, partner).await?, gate.clock.now()))
}

/// Changes what is given. A later expiry lets the clients of a partner that had expired get tokens again; it revives none.
pub async fn update(
    gate: &Gate,
    actor: &Actor,
    partner: &str,
    new: PartnerSettings,
) -> Result<PartnerView, Failure> {
    let new = &new;
    gate.settle(actor, move || updating(gate, partner, new)).await?;
    show(gate, partner).await
}

async fn updating(gate: &Gate, partner: &str, new: &PartnerSettings) -> Result<Decision<()>, Failure> {
    let now = gate.clock.now();
    let name = new.name.as_deref().map(Name::parse).transpose()?;
    let expires = new.expires.map(|expires| expires.moment(now)).transpose()?;
    let found = find(gate, partner).await?;
    let changed = partners::changed(&found, name, expires);
    if changed == found {
        return Ok(Decision { basis: None, changes: Vec::new(), outcome: () });
    }
    // An end that has passed holds for the tokens from before, also where the step that writes it did not come.
    let tokens = if found.is_revived_as(&changed, now) {
        Some(revocations::of_stopped_partner(gate, found.id).await?)
    } else {
        None
    };
    let changes = tokens.into_iter().chain([Change::PartnerUpdated(changed)]).collect();
    Ok(Decision { basis: None, changes, outcome: () })
}

/// Stops the partner's clients; nothing happens if they are stopped already.
pub async fn suspend(gate: &Gate, actor: &Actor, partner: &str) -> Result<PartnerView, Failure> {
    gate.settle(actor, move || suspending(gate, partner)).await?;
    show(gate, partner).await
}

async fn suspending(gate: &Gate, partner: &str) -> Result<Decision<()>, Failure> {
    let found = find(gate, partner).await?;
    let Some(change) = partners::suspend(&found) else {
        return Ok(Decision { basis: None, changes: Vec::new(), outcome: () });
    };
    // Suspension ends live tokens too, for good: resuming revives none.
    let tokens = revocations::of_stopped_partner(gate, found.id).await?;
    Ok(Decision { basis: None, changes: vec![change, tokens], outcome: () })
}

/// Lets the partner's clients get tokens again; nothing happens if they may already.
pub async fn resume(gate: &Gate, actor: &Actor, partner: &str) -> Result<PartnerView, Failure> {
    gate.settle(actor, move || resuming(gate, partner)).await?;
    show(gate, partner).await
}

async fn resuming(gate: &Gate, partner: &str) -> Result<Decision<()>, Failure> {
    let found = find(gate, partner).await?;
    let change = partners::resume(&found, gate.clock.now());
    let change = change.map_err(|HasExpired| Failure::has_expired("partner", partner))?;
    Ok(Decision { basis: None, changes: change.into_iter().collect(), outcome: () })
}

/// Deletes a partner that has no clients.
pub async fn delete(gate: &Gate, actor: &Actor, partner: &str) -> Result<(), Failure> {
    let found = find(gate, partner).await?;
    gate.apply(actor, vec![Change::PartnerDeleted(found.id)]).await
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
    fn of(partner: &Partner, now: Timestamp) -> Self {
        Self {
            partner_id: partner.id.0,
            slug: partner.slug.as_str().to_owned(),
            name: partner.name.as_str().to_owned(),
            status: partner.standing(now).as_str(),
            expires: partner.expires.map(crate::clock::written),
            created: crate::clock::written(partner.created),
        }
    }
}
