//! This file is where it is tested when which key takes its turn.

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
    Schedule { publish_ahead: DAY, rotate_every: Some(DAY * 30), token_life: HOUR * 2, swaps_by_itself: true }
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
    assert_eq!(next_step(&[signing()], &schedule(), due), Some(Step::Publish { signs_from: at(30 * 24) }));
    let never = Schedule { rotate_every: None, ..schedule() };
    assert_eq!(next_step(&[signing()], &never, at(1_000_000)), None);
}

#[test]
fn a_step_is_due_from_the_moment_that_is_told_before() {
    let signing = || key(KeyState::Signing, at(0), None);
    let published = || key(KeyState::Published, at(48), None);
    let verifying = || key(KeyState::Verifying, at(0), Some(at(7)));
    for keys in [vec![signing()], vec![signing(), published()], vec![signing(), published(), verifying()]] {
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
    let turn = |published, signs_from| Some(Turn { published: at(published), signs_from: at(signs_from) });

    let asked = [(0, turn(29 * 24, 30 * 24)), (29 * 24, turn(29 * 24, 30 * 24)), (1_000, turn(1_000, 1_024))];
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
