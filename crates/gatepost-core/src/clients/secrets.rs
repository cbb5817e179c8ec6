//! This file is where the secrets of a client are, each with its own life.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClientId, ClientRecord};
use crate::change::Change;
use crate::name::Name;
use crate::secret::SecretTag;
use crate::time::Timestamp;

/// What a secret is known by in lists; it tells nothing about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretId(pub Uuid);

/// A secret as it is kept: its one-way tag and its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// What lists know it by.
    pub id: SecretId,
    /// What people call it.
    pub label: Option<Name>,
    /// The one-way form.
    pub tag: SecretTag,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is accepted; at once when `None`.
    pub not_before: Option<Timestamp>,
    /// From when on it is no longer accepted.
    pub expires: Option<Timestamp>,
    /// When an operator ended it.
    pub ended: Option<Timestamp>,
}

/// Where a secret is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// Not accepted yet.
    Pending,
    /// Accepted.
    Active,
    /// Its time is over.
    Expired,
    /// An operator ended it.
    Ended,
}

impl SecretState {
    /// The state as people and programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

impl StoredSecret {
    /// Where it is in its life at `now`.
    pub fn state(&self, now: Timestamp) -> SecretState {
        if self.ended.is_some_and(|at| at <= now) {
            return SecretState::Ended;
        }
        if self.expires.is_some_and(|at| at <= now) {
            return SecretState::Expired;
        }
        match self.not_before {
            Some(at) if at > now => SecretState::Pending,
            Some(_) | None => SecretState::Active,
        }
    }

    /// Whether it is accepted now or will be: it takes one of the places that a client has for secrets.
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.state(now) {
            SecretState::Pending | SecretState::Active => true,
            SecretState::Expired | SecretState::Ended => false,
        }
    }
}

/// From when until when a secret shall be accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// From when on; at once when `None`.
    pub not_before: Option<Timestamp>,
    /// From when on no longer; for ever when `None`.
    pub expires: Option<Timestamp>,
}

/// Why no secret can have that term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadTerm {
    /// It is over.
    Over,
    /// It ends before it begins.
    Never,
}

impl Term {
    /// Whether a secret of that term would be accepted at some time.
    pub fn check(self, now: Timestamp) -> Result<(), BadTerm> {
        let Some(expires) = self.expires else {
            return Ok(());
        };
        if expires <= now {
            return Err(BadTerm::Over);
        }
        if self.not_before.is_some_and(|from| from >= expires) { Err(BadTerm::Never) } else { Ok(()) }
    }
}

/// Why a secret can't be added or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretConflict {
    /// The client has as many live secrets as it may.
    TooMany,
    /// It is the last usable one; only force ends it.
    Last,
    /// It has ended already.
    Over,
    /// The client may prove itself by keys alone.
    KeysOnly,
}

/// The client with one more secret, unless it has `most` live ones.
pub fn add_secret(
    owner: &ClientRecord,
    secret: StoredSecret,
    most: usize,
    now: Timestamp,
) -> Result<Change, SecretConflict> {
    if !owner.client.may_use_secrets() {
        return Err(SecretConflict::KeysOnly);
    }
    if live(owner, now).count() >= most {
        return Err(SecretConflict::TooMany);
    }
    Ok(Change::SecretAdded { client: owner.client.id.clone(), secret })
}

/// The client with a new secret; every other live one ends at the latest `overlap` after the new one is accepted.
pub fn roll_secret(
    owner: &ClientRecord,
    secret: StoredSecret,
    overlap: Duration,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Change>, SecretConflict> {
    let client = &owner.client.id;
    let accepted_from = secret.not_before.map_or(now, |from| from.max(now));
    let last_moment = accepted_from.after(overlap);
    let lives_on = |old: &&StoredSecret| old.expires.is_none_or(|at| at > last_moment);
    let limit = |old: &StoredSecret| Change::SecretLimited {
        client: client.clone(),
        secret: old.id,
        expires: last_moment,
    };

    let limits: Vec<_> = live(owner, now).filter(lives_on).map(limit).collect();
    // Others that end at once take no place.
    let ending = if last_moment <= now { live(owner, now).count() } else { 0 };
    let after = most.saturating_add(ending);
    let added = add_secret(owner, secret, after, now)?;
    Ok(std::iter::once(added).chain(limits).collect())
}

/// The client without the secret `id`; the last usable one of a client without keys goes only with `force`. One that is
/// not accepted yet is no way in: it goes without, and where it is alone with the last usable one, that one still is the last.
pub fn end_secret(
    owner: &ClientRecord,
    id: SecretId,
    force: bool,
    now: Timestamp,
) -> Result<Change, SecretConflict> {
    if !live(owner, now).any(|secret| secret.id == id) {
        return Err(SecretConflict::Over);
    }
    let mut others = usable(owner, now).filter(|secret| secret.id != id);
    let is_only_way_in = usable(owner, now).any(|secret| secret.id == id) && others.next().is_none();
    let is_last = owner.client.may_use_secrets() && is_only_way_in;
    if is_last && !force && !owner.has_usable_key() {
        return Err(SecretConflict::Last);
    }
    let client: ClientId = owner.client.id.clone();
    Ok(Change::SecretEnded { client, secret: id, at: now })
}

fn live(owner: &ClientRecord, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
    owner.secrets.iter().filter(move |secret| secret.is_live(now))
}

fn usable(owner: &ClientRecord, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
    owner.secrets.iter().filter(move |secret| secret.state(now) == SecretState::Active)
}

#[cfg(test)]
mod tests;
