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
    /// From when on it is no longer accepted.
    pub expires: Option<Timestamp>,
    /// When an operator ended it.
    pub ended: Option<Timestamp>,
}

/// Where a secret is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
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
        match self.expires {
            Some(at) if at <= now => SecretState::Expired,
            Some(_) | None => SecretState::Active,
        }
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
    if usable(owner, now).count() >= most {
        return Err(SecretConflict::TooMany);
    }
    Ok(Change::SecretAdded { client: owner.client.id.clone(), secret })
}

/// The client with a new secret; every other usable one ends after `overlap` at the latest.
pub fn roll_secret(
    owner: &ClientRecord,
    secret: StoredSecret,
    overlap: Duration,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Change>, SecretConflict> {
    let client = &owner.client.id;
    let last_moment = now.after(overlap);
    let lives_on = |old: &&StoredSecret| old.expires.is_none_or(|at| at > last_moment);
    let limit = |old: &StoredSecret| Change::SecretLimited {
        client: client.clone(),
        secret: old.id,
        expires: last_moment,
    };

    let limits: Vec<_> = usable(owner, now).filter(lives_on).map(limit).collect();
    // With no overlap the others end at once and take no place.
    let after = if overlap.is_zero() { most.saturating_add(usable(owner, now).count()) } else { most };
    let added = add_secret(owner, secret, after, now)?;
    Ok(std::iter::once(added).chain(limits).collect())
}

/// The client without the secret `id`; the last usable one of a client without keys goes only with `force`.
pub fn end_secret(
    owner: &ClientRecord,
    id: SecretId,
    force: bool,
    now: Timestamp,
) -> Result<Change, SecretConflict> {
    if !usable(owner, now).any(|secret| secret.id == id) {
        return Err(SecretConflict::Over);
    }
    let is_last = owner.client.may_use_secrets() && usable(owner, now).count() == 1;
    if is_last && !force && !owner.has_usable_key() {
        return Err(SecretConflict::Last);
    }
    let client: ClientId = owner.client.id.clone();
    Ok(Change::SecretEnded { client, secret: id, at: now })
}

fn usable(owner: &ClientRecord, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
    owner.secrets.iter().filter(move |secret| secret.state(now) == SecretState::Active)
}
