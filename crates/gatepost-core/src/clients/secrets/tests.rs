//! This file is where the lives of secrets are tried: what a client holds against what may be done with it.

use uuid::Uuid;

use super::*;
use crate::clients::authenticate::sample_record;
use crate::secret::SecretTag;
use crate::secret::stored::{BadTerm, Term};

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

fn secret(id: u128, not_before: Option<i64>, expires: Option<i64>) -> StoredSecret {
    let tag = SecretTag { pepper: "p".into(), tag: vec![] };
    let (not_before, expires) = (not_before.map(at), expires.map(at));
    StoredSecret {
        id: SecretId(Uuid::from_u128(id)),
        label: None,
        tag,
        created: NOW,
        not_before,
        expires,
        ended: None,
    }
}

fn owner(secrets: Vec<StoredSecret>) -> ClientRecord {
    ClientRecord { secrets, ..sample_record() }
}

/// Which secrets the roll limits, and to which second from now.
fn roll(
    secrets: Vec<StoredSecret>,
    new: StoredSecret,
    overlap: u64,
    most: usize,
) -> Result<Vec<(u128, i64)>, SecretConflict> {
    let changes = roll_secret(&owner(secrets), new, Duration::from_secs(overlap), most, NOW)?;
    let limits = changes.iter().filter_map(|change| match change {
        Change::SecretLimited { secret, expires, .. } => {
            Some((secret.0.as_u128(), expires.seconds() - NOW.seconds()))
        }
        _ => None,
    });
    Ok(limits.collect())
}

#[test]
fn a_secret_is_pending_then_active_then_expired_unless_it_was_ended() {
    let one = secret(1, Some(10), Some(20));
    let states = [0, 9, 10, 19, 20].map(|second| one.state(at(second)).as_str());
    assert_eq!(states, ["pending", "pending", "active", "active", "expired"]);
    let ended = StoredSecret { ended: Some(at(5)), ..one };
    assert_eq!([4, 5, 15].map(|second| ended.state(at(second)).as_str()), ["pending", "ended", "ended"]);
}

#[test]
fn a_term_that_is_over_or_ends_before_it_begins_is_none() {
    let check = |not_before: Option<i64>, expires: Option<i64>| {
        Term { not_before: not_before.map(at), expires: expires.map(at) }.check(NOW)
    };
    assert_eq!(check(None, None), Ok(()));
    assert_eq!(check(Some(5), None), Ok(()));
    assert_eq!(check(Some(-5), Some(1)), Ok(()));
    assert_eq!(check(None, Some(0)), Err(BadTerm::Over));
    assert_eq!(check(Some(5), Some(5)), Err(BadTerm::Never));
    assert_eq!(check(Some(6), Some(5)), Err(BadTerm::Never));
}

#[test]
fn a_pending_secret_takes_a_place() {
    let held = owner(vec![secret(1, None, None), secret(2, Some(10), None)]);
    assert!(add_secret(&held, secret(3, None, None), 3, NOW).is_ok());
    assert_eq!(add_secret(&held, secret(3, None, None), 2, NOW), Err(SecretConflict::TooMany));
    let passed = owner(vec![secret(1, None, None), secret(2, None, Some(0))]);
    assert!(add_secret(&passed, secret(3, None, None), 2, NOW).is_ok());
}

#[test]
fn the_last_accepted_secret_stays_the_last_while_another_is_pending() {
    let held = owner(vec![secret(1, None, None), secret(2, Some(10), None)]);
    let end = |id: u128, force| end_secret(&held, SecretId(Uuid::from_u128(id)), force, NOW).map(drop);
    assert_eq!(end(1, false), Err(SecretConflict::Last));
    assert_eq!(end(1, true), Ok(()));
    assert_eq!(end(2, false), Ok(()), "a pending one is no way in yet");
    assert_eq!(end(3, true), Err(SecretConflict::Over));

    let later = end_secret(&held, SecretId(Uuid::from_u128(1)), false, at(10));
    assert!(later.is_ok(), "then the other is accepted");
}

#[test]
fn a_roll_closes_the_overlap_only_after_the_new_secret_is_accepted() {
    let old = || vec![secret(1, None, None)];
    assert_eq!(roll(old(), secret(9, None, None), 60, 5), Ok(vec![(1, 60)]));
    assert_eq!(roll(old(), secret(9, Some(100), None), 60, 5), Ok(vec![(1, 160)]));
    assert_eq!(roll(old(), secret(9, Some(100), None), 0, 5), Ok(vec![(1, 100)]));
    assert_eq!(roll(old(), secret(9, Some(-100), None), 60, 5), Ok(vec![(1, 60)]));
}

#[test]
fn a_roll_limits_pending_secrets_too_and_prolongs_none() {
    let others = vec![secret(1, Some(30), None), secret(2, None, Some(20)), secret(3, None, Some(90))];
    assert_eq!(roll(others, secret(9, None, None), 60, 5), Ok(vec![(1, 60), (3, 60)]));
}

#[test]
fn a_roll_needs_a_place_unless_the_others_end_at_once() {
    let full = || vec![secret(1, None, None), secret(2, Some(10), None)];
    assert_eq!(roll(full(), secret(9, None, None), 60, 2), Err(SecretConflict::TooMany));
    assert_eq!(roll(full(), secret(9, None, None), 0, 2), Ok(vec![(1, 0), (2, 0)]));
    assert_eq!(roll(full(), secret(9, Some(5), None), 0, 2), Err(SecretConflict::TooMany));
}
