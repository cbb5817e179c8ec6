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
mod tests {
    use gatepost_jose::{Algorithm, RsaBits, SigningKey};

    use super::*;
    use crate::keys::{KeyOwner, Sealed};

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(86_400);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(hours * 3_600_000_000)
    }

    fn key(state: KeyState, signs_from: Timestamp, verifies_until: Option<Timestamp>) -> StoredKey {
        let made = SigningKey::generate(Algorithm::EdDsa, RsaBits::B2048).unwrap();
        let sealed = Sealed { wrapping: "w".into(), bytes: vec![] };
        let mut key = crate::keys::first(KeyOwner::Service, made.public(), sealed, at(0));
        (key.state, key.signs_from, key.verifies_until) = (state, signs_from, verifies_until);
        key
    }

    fn schedule() -> Schedule {
        Schedule {
            publish_ahead: DAY,
            rotate_every: Some(DAY * 30),
            token_life: HOUR * 2,
            swaps_by_itself: true,
        }
    }

    #[test]
    fn an_api_without_keys_gets_one_that_signs_at_once() {
        assert_eq!(next_step(&[], &schedule(), at(5)), Some(Step::Publish { signs_from: at(5) }));
        let published = key(KeyState::Published, at(99), None);
        assert!(matches!(
            next_step(&[published], &schedule(), at(5)),
            Some(Step::Promote { predecessor: None, .. })
        ));
    }

    #[test]
    fn the_next_key_is_published_ahead_of_the_day_it_signs() {
        let signing = || key(KeyState::Signing, at(0), None);
        let before = at(29 * 24 - 1);
        let due = at(29 * 24);

        assert_eq!(next_step(&[signing()], &schedule(), before), None);
        assert_eq!(
            next_step(&[signing()], &schedule(), due),
            Some(Step::Publish { signs_from: at(30 * 24) })
        );
        let never = Schedule { rotate_every: None, ..schedule() };
        assert_eq!(next_step(&[signing()], &never, at(1_000_000)), None);
    }

    #[test]
    fn a_step_is_due_from_the_moment_that_is_told_before() {
        let signing = || key(KeyState::Signing, at(0), None);
        let published = || key(KeyState::Published, at(48), None);
        let verifying = || key(KeyState::Verifying, at(0), Some(at(7)));
        for keys in [vec![signing()], vec![signing(), published()], vec![signing(), published(), verifying()]]
        {
            let due = next_due(&keys, &schedule()).unwrap();
            assert_eq!(next_step(&keys, &schedule(), Timestamp::from_micros(due.micros() - 1)), None);
            assert!(next_step(&keys, &schedule(), due).is_some());
        }
        let by_hand = Schedule { swaps_by_itself: false, ..schedule() };
        assert_eq!(next_due(&[signing(), published()], &by_hand), None);
    }

    #[test]
    fn a_published_key_signs_when_its_time_has_come_and_not_before() {
        let keys = [key(KeyState::Signing, at(0), None), key(KeyState::Published, at(48), None)];
        assert_eq!(next_step(&keys, &schedule(), at(47)), None);

        let Some(Step::Promote { successor, predecessor, verifies_until }) =
            next_step(&keys, &schedule(), at(48))
        else {
            panic!("a promotion is due");
        };
        assert_eq!((*successor, predecessor), (keys[1].clone(), Some(Box::new(keys[0].clone()))));
        assert_eq!(verifies_until, at(50));
    }

    #[test]
    fn where_readers_hold_one_key_nothing_swaps_by_itself() {
        let keys = [key(KeyState::Signing, at(0), None), key(KeyState::Published, at(48), None)];
        let by_hand = Schedule { swaps_by_itself: false, ..schedule() };
        assert_eq!(next_step(&keys, &by_hand, at(10_000)), None);
    }

    #[test]
    fn an_api_s_own_schedule_goes_before_the_one_of_the_settings() {
        let own = Turns::Every(NonZeroU32::new(3_600).unwrap());
        for (turns, default, every) in [
            (Turns::ByDefault, Some(DAY), Some(DAY)),
            (Turns::ByDefault, None, None),
            (Turns::Never, Some(DAY), None),
            (own, Some(DAY), Some(HOUR)),
            (own, None, Some(HOUR)),
        ] {
            assert_eq!(turns.or(default), every, "{turns:?} {default:?}");
        }
    }

    #[test]
    fn the_next_turn_is_what_the_schedule_then_does() {
        let signing = || key(KeyState::Signing, at(0), None);
        let turn =
            |published, signs_from| Some(Turn { published: at(published), signs_from: at(signs_from) });

        let asked =
            [(0, turn(29 * 24, 30 * 24)), (29 * 24, turn(29 * 24, 30 * 24)), (1_000, turn(1_000, 1_024))];
        for (now, expected) in asked {
            assert_eq!(next_turn(&[signing()], &schedule(), at(now)), expected, "{now}");
        }
        let Some(Step::Publish { signs_from }) = next_step(&[signing()], &schedule(), at(1_000)) else {
            panic!("it is overdue");
        };
        assert_eq!(signs_from, at(1_024));

        let mut published = key(KeyState::Published, at(99), None);
        published.created = at(75);
        let never = Schedule { rotate_every: None, ..schedule() };
        assert_eq!(next_turn(&[signing(), published], &never, at(80)), turn(75, 99));
        assert_eq!(next_turn(&[signing()], &never, at(80)), None);
        assert_eq!(next_turn(&[], &schedule(), at(80)), None);
    }

    #[test]
    fn a_key_is_retired_when_its_last_token_has_expired() {
        let keys = [key(KeyState::Signing, at(0), None), key(KeyState::Verifying, at(0), Some(at(50)))];
        assert_eq!(next_step(&keys, &schedule(), at(49)), None);
        assert_eq!(next_step(&keys, &schedule(), at(50)), Some(Step::Retire(Box::new(keys[1].clone()))));
    }

    #[test]
    fn no_key_signs_before_it_was_published_long_enough_over_years() {
        let (mut keys, mut now) = (vec![key(KeyState::Signing, at(0), None)], at(0));
        let mut promotions = 0;
        while now < at(24 * 365 * 3) {
            now = now.after(HOUR);
            match next_step(&keys, &schedule(), now) {
                Some(Step::Publish { signs_from }) => {
                    let mut made = key(KeyState::Published, signs_from, None);
                    made.created = now;
                    keys.push(made);
                }
                Some(Step::Promote { successor, predecessor, verifies_until }) => {
                    assert!(now.since(successor.created) >= DAY);
                    for key in &mut keys {
                        if key.kid == successor.kid {
                            key.state = KeyState::Signing;
                        } else if Some(&key.kid) == predecessor.as_ref().map(|key| &key.kid) {
                            (key.state, key.verifies_until) = (KeyState::Verifying, Some(verifies_until));
                        }
                    }
                    promotions += 1;
                }
                Some(Step::Retire(over)) => {
                    assert!(over.verifies_until.unwrap() <= now);
                    keys.retain(|key| key.kid != over.kid);
                }
                None => {}
            }
            assert_eq!(keys.iter().filter(|key| key.state == KeyState::Signing).count(), 1);
            assert!(keys.len() <= 4);
        }
        assert!(promotions >= 35, "{promotions}");
    }
}
