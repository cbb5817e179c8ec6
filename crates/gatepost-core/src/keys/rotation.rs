//! This file is where the life of signing keys is decided: published, signing, verifying, retired.
//!
//! The idea: a key is in the key set longer than anyone may keep the set before it signs, and stays there until its
//! last token has expired; so a verifier that follows the caching headers never meets a key it can't know.
//! The limit: the document of a key set with one key, for readers outside, can't hold two; there nothing swaps by itself.
//! The price: a new key waits `publish_ahead` before it signs. Emergencies skip the wait and say so.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{KeyState, StoredKey};
use crate::time::Timestamp;

/// How the keys of one API live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How long a key is published before it signs: longer than any cache of the key set.
    pub publish_ahead: Duration,
    /// How long a key signs before the next one takes over; for ever when `None`.
    pub rotate_every: Option<Duration>,
    /// How long the last token of a key may be accepted after the key signed it: longest lifetime plus leeway.
    pub token_life: Duration,
    /// Whether a published key takes over by itself; not where readers outside hold a document with one key.
    pub swaps_by_itself: bool,
}

/// How often the keys of an API take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turns {
    /// As the settings say for all APIs.
    #[default]
    ByDefault,
    /// Only when somebody asks for it.
    Never,
    /// After so many seconds.
    Every(NonZeroU32),
}

impl Turns {
    /// How long a key signs before the next one takes over, where the settings say `default`; for ever when `None`.
    pub fn or(self, default: Option<Duration>) -> Option<Duration> {
        match self {
            Self::ByDefault => default,
            Self::Never => None,
            Self::Every(seconds) => Some(Duration::from_secs(seconds.get().into())),
        }
    }
}

/// When the next key takes over, or may where nothing swaps by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When the next key is in the key set, or has come into it.
    pub published: Timestamp,
    /// From when on it signs, or may.
    pub signs_from: Timestamp,
}

/// One thing to do about the keys of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a key and publish it, to sign from then on.
    Publish {
        /// When it may sign.
        signs_from: Timestamp,
    },
    /// Let the published key sign; the one before it goes on verifying until then.
    Promote {
        /// The key that signs from now on.
        successor: Box<StoredKey>,
        /// The key that signed until now.
        predecessor: Option<Box<StoredKey>>,
        /// When the predecessor's last token has expired.
        verifies_until: Timestamp,
    },
    /// Take the key out of the key set: its last token has expired.
    Retire(Box<StoredKey>),
}

/// What is due at `now` about the keys of one API; the next step only, for each changes what comes after it.
pub fn next_step(keys: &[StoredKey], schedule: &Schedule, now: Timestamp) -> Option<Step> {
    if let Some(over) = keys.iter().find(|key| key.state == KeyState::Verifying && is_over(key, now)) {
        return Some(Step::Retire(Box::new(over.clone())));
    }
    let signing = in_state(keys, KeyState::Signing);
    match (signing, in_state(keys, KeyState::Published)) {
        (signing, Some(published)) => {
            let due = signing.is_none() || (schedule.swaps_by_itself && published.signs_from <= now);
            due.then(|| promote(published, signing, schedule, now))
        }
        (None, None) => Some(Step::Publish { signs_from: now }),
        (Some(signing), None) => {
            let due = signing.signs_from.after(lead(schedule)?) <= now;
            due.then(|| Step::Publish { signs_from: now.after(schedule.publish_ahead) })
        }
    }
}

/// From when on [`next_step`] has something to say, if it ever will by itself.
pub fn next_due(keys: &[StoredKey], schedule: &Schedule) -> Option<Timestamp> {
    let verifying = keys.iter().filter(|key| key.state == KeyState::Verifying);
    let retires = verifying.filter_map(|key| key.verifies_until).min();
    let turns = match (in_state(keys, KeyState::Signing), in_state(keys, KeyState::Published)) {
        (_, Some(published)) => schedule.swaps_by_itself.then_some(published.signs_from),
        (Some(signing), None) => lead(schedule).map(|lead| signing.signs_from.after(lead)),
        (None, None) => None,
    };
    retires.into_iter().chain(turns).min()
}

/// The next turn of the keys of one API, as it looks at `now`; none when nothing is published and no schedule asks for it.
pub fn next_turn(keys: &[StoredKey], schedule: &Schedule, now: Timestamp) -> Option<Turn> {
    if let Some(next) = in_state(keys, KeyState::Published) {
        return Some(Turn { published: next.created, signs_from: next.signs_from });
    }
    let signing = in_state(keys, KeyState::Signing)?;
    // What is overdue is done as soon as a server runs.
    let published = signing.signs_from.after(lead(schedule)?).max(now);
    Some(Turn { published, signs_from: published.after(schedule.publish_ahead) })
}

/// How long a key has signed when the next one is published.
fn lead(schedule: &Schedule) -> Option<Duration> {
    Some(schedule.rotate_every?.saturating_sub(schedule.publish_ahead))
}

/// The step that lets `published` sign from `now` on, due or not.
pub fn promote(
    published: &StoredKey,
    signing: Option<&StoredKey>,
    schedule: &Schedule,
    now: Timestamp,
) -> Step {
    Step::Promote {
        successor: Box::new(published.clone()),
        predecessor: signing.cloned().map(Box::new),
        verifies_until: now.after(schedule.token_life),
    }
}

/// The key in that state; there is at most one published and one signing key an API.
pub fn in_state(keys: &[StoredKey], state: KeyState) -> Option<&StoredKey> {
    keys.iter().rev().find(|key| key.state == state)
}

fn is_over(key: &StoredKey, now: Timestamp) -> bool {
    key.verifies_until.is_some_and(|until| until <= now)
}

#[cfg(test)]
mod tests;
