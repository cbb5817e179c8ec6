//! This file is where partners come to be, get renamed, suspended, resumed, and expire.

use super::{HasExpired, Partner, Status};
use crate::change::Change;
use crate::ids::PartnerId;
use crate::name::{Name, Slug};
use crate::time::Timestamp;

/// A new partner, active from now until `expires`.
pub fn register(
    id: PartnerId,
    slug: Slug,
    name: Name,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Partner {
    Partner { id, slug, name, status: Status::Active, expires, created: now, version: 1 }
}

/// The partner under another name, with another expiry, or both; the slug stays, for commands and habits hang on it.
pub fn changed(partner: &Partner, name: Option<Name>, expires: Option<Option<Timestamp>>) -> Partner {
    let mut changed = partner.clone();
    if let Some(name) = name {
        changed.name = name;
    }
    if let Some(expires) = expires {
        changed.expires = expires;
        changed.status = changed.status.with_new_expiry();
    }
    changed
}

/// Stops the partner's clients; `None` if it is suspended already.
pub fn suspend(partner: &Partner) -> Option<Change> {
    (partner.status != Status::Suspended).then(|| with_status(partner, Status::Suspended))
}

/// Lets the partner's clients get tokens again; `None` if they may. One that has expired needs a later expiry instead.
pub fn resume(partner: &Partner, now: Timestamp) -> Result<Option<Change>, HasExpired> {
    match partner.status.resumed(partner.expires, now)? {
        Some(status) => Ok(Some(with_status(partner, status))),
        None => Ok(None),
    }
}

/// Writes down that the partner has expired; `None` unless that is due.
pub fn expire(partner: &Partner, now: Timestamp) -> Option<Change> {
    let expired = || Change::PartnerExpired(Partner { status: Status::Expired, ..partner.clone() });
    partner.status.is_to_expire(partner.expires, now).then(expired)
}

fn with_status(partner: &Partner, status: Status) -> Change {
    Change::PartnerUpdated(Partner { status, ..partner.clone() })
}
