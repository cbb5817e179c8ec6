//! This file is where partners come to be, get renamed, suspended and resumed.

use super::{Partner, PartnerId, Status};
use crate::change::Change;
use crate::name::{Name, Slug};
use crate::time::Timestamp;

/// A new partner, active from now.
pub fn register(id: PartnerId, slug: Slug, name: Name, now: Timestamp) -> Partner {
    Partner { id, slug, name, status: Status::Active, created: now, version: 1 }
}

/// The partner under another name; the slug stays, for commands and habits hang on it.
pub fn rename(partner: &Partner, name: Name) -> Change {
    Change::PartnerUpdated(Partner { name, ..partner.clone() })
}

/// Stops the partner's clients; `None` if it is suspended already.
pub fn suspend(partner: &Partner) -> Option<Change> {
    with_status(partner, Status::Suspended)
}

/// Lets the partner's clients get tokens again; `None` if it is active already.
pub fn resume(partner: &Partner) -> Option<Change> {
    with_status(partner, Status::Active)
}

fn with_status(partner: &Partner, status: Status) -> Option<Change> {
    (partner.status != status).then(|| Change::PartnerUpdated(Partner { status, ..partner.clone() }))
}
