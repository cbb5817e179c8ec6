//! This file is where it is decided which secrets a client may get, roll and end.

use std::time::Duration;

use super::ClientRecord;
use crate::change::Change;
use crate::ids::ClientId;
use crate::secret::stored::{SecretId, SecretState, StoredSecret};
use crate::time::Timestamp;

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
