//! This file is where the counting of quotas is tested: edges of days and months, several nodes, clocks that step.

use super::*;

/// 30 November 2026, noon.
const NOON: i64 = 1_796_040_000;
const MIDNIGHT: i64 = 1_796_083_200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn limits(per_day: Option<u64>, per_month: Option<u64>) -> ClientLimits {
    ClientLimits { per_day, per_month, ..ClientLimits::default() }
}

fn stored(on_day: u64, in_month: u64) -> Issued {
    Issued { on_day, in_month }
}

/// How many tokens are got at that second before a quota is used up, and which; at most 100 are asked for.
fn drain(tally: &mut Tally, limits: &ClientLimits, seconds: i64) -> (usize, Option<Policy>) {
    for taken in 0..100 {
        if let Err(used_up) = tally.take(limits, at(seconds)) {
            return (taken, Some(used_up.policy));
        }
    }
    (100, None)
}

#[test]
fn exactly_as_many_are_granted_as_the_quota_says() {
    for (limits, known, granted) in [
        (limits(Some(5), None), stored(0, 0), (5, Some(Policy::Day))),
        (limits(Some(5), None), stored(2, 50), (3, Some(Policy::Day))),
        (limits(None, Some(7)), stored(0, 4), (3, Some(Policy::Month))),
        (limits(Some(5), Some(7)), stored(0, 4), (3, Some(Policy::Month))),
        (limits(Some(5), Some(5)), stored(5, 5), (0, Some(Policy::Month))),
        (limits(Some(0), None), stored(0, 0), (0, Some(Policy::Day))),
        (limits(Some(5), None), stored(u64::MAX, u64::MAX), (0, Some(Policy::Day))),
        (limits(None, None), stored(9, 9), (100, None)),
    ] {
        assert_eq!(drain(&mut Tally::begun(known, at(NOON)), &limits, NOON), granted, "{limits:?} {known:?}");
    }
}

#[test]
fn what_is_left_and_until_when_is_told() {
    let mut tally = Tally::begun(stored(0, 10), at(NOON));
    let told = tally.take(&limits(Some(2), Some(100)), at(NOON)).unwrap();
    let told: Vec<_> =
        told.iter().map(|one| (one.policy, one.limit, one.window, one.remaining, one.reset)).collect();
    let day = (Policy::Day, 2, 86_400, 1, 43_200);
    assert_eq!(told, [day, (Policy::Month, 100, 30 * 86_400, 89, 43_200)]);

    tally.take(&limits(Some(2), None), at(NOON)).unwrap();
    let used_up = tally.take(&limits(Some(2), None), at(MIDNIGHT - 1)).unwrap_err();
    assert_eq!((used_up.remaining, used_up.reset), (0, 1));
}

#[test]
fn a_new_day_begins_at_midnight_and_a_new_month_with_its_first_day() {
    let daily = limits(Some(3), None);
    let mut tally = Tally::begun(stored(0, 0), at(NOON));
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT - 1).0, 3);
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT).0, 3);
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT + 86_399).0, 0);

    let monthly = limits(None, Some(3));
    let mut tally = Tally::begun(stored(0, 2), at(NOON));
    assert_eq!(drain(&mut tally, &monthly, MIDNIGHT - 1).0, 1);
    assert_eq!(drain(&mut tally, &monthly, MIDNIGHT).0, 3);
    assert_eq!(drain(&mut tally, &monthly, MIDNIGHT + 86_400).0, 0);
}

#[test]
fn what_others_granted_counts_and_what_was_written_does_not_count_twice() {
    let daily = limits(Some(10), None);
    let mut tally = Tally::begun(stored(0, 0), at(NOON));
    for _ in 0..4 {
        tally.take(&daily, at(NOON)).unwrap();
    }
    // Three of the four are in the store now, with two of another node.
    tally.written(Hour::of(at(NOON)), 3);
    tally.refreshed(stored(5, 5), at(NOON), at(NOON));
    assert!(!tally.is_written());
    assert_eq!(drain(&mut tally.clone(), &daily, NOON).0, 4);

    tally.written(Hour::of(at(NOON)), 1);
    tally.refreshed(stored(6, 6), at(NOON), at(NOON));
    assert!(tally.is_written());
    assert_eq!(drain(&mut tally, &daily, NOON).0, 4);
}

#[test]
fn a_token_that_never_got_out_is_given_back() {
    let daily = limits(Some(1), None);
    let mut tally = Tally::begun(stored(0, 0), at(NOON));
    tally.take(&daily, at(NOON)).unwrap();
    tally.give_back(at(NOON));
    assert!(tally.is_written());
    tally.take(&daily, at(NOON)).unwrap();

    // Of yesterday's token nothing is given back to today.
    tally.take(&daily, at(MIDNIGHT)).unwrap();
    tally.give_back(at(MIDNIGHT - 1));
    assert!(tally.take(&daily, at(MIDNIGHT)).is_err());
}

#[test]
fn what_of_yesterday_is_written_today_counts_for_the_month_alone() {
    let both = limits(Some(10), Some(100));
    let yesterday = MIDNIGHT + 86_400 - 1;
    let mut tally = Tally::begun(stored(0, 0), at(yesterday));
    tally.take(&both, at(yesterday)).unwrap();
    tally.take(&both, at(yesterday + 1)).unwrap();
    tally.written(Hour::of(at(yesterday)), 1);
    tally.refreshed(stored(0, 1), at(yesterday + 1), at(yesterday + 1));

    assert!(!tally.is_written());
    let told = tally.take(&both, at(yesterday + 1)).unwrap();
    assert_eq!(told.iter().map(|one| one.remaining).collect::<Vec<_>>(), [8, 97]);
}

#[test]
fn an_answer_about_a_day_that_is_over_is_not_taken_for_the_new_one() {
    let daily = limits(Some(3), None);
    let mut tally = Tally::begun(stored(3, 3), at(MIDNIGHT - 1));
    tally.take(&daily, at(MIDNIGHT)).unwrap();
    tally.refreshed(stored(3, 3), at(MIDNIGHT - 1), at(MIDNIGHT));
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT).0, 2);
}

#[test]
fn a_clock_that_goes_back_over_midnight_grants_nothing_twice() {
    let daily = limits(Some(3), None);
    let mut tally = Tally::begun(stored(0, 0), at(NOON));
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT - 1).0, 3);
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT).0, 3);
    // Back before midnight, the counts of the later day hold until the store was asked.
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT - 1).0, 0);
    tally.refreshed(stored(3, 3), at(MIDNIGHT - 1), at(MIDNIGHT - 1));
    assert_eq!(drain(&mut tally, &daily, MIDNIGHT - 1).0, 0);
    // A year ahead and back is forgotten with the next look.
    assert_eq!(drain(&mut tally, &daily, NOON + 365 * 86_400).0, 3);
    tally.refreshed(stored(1, 1), at(NOON), at(NOON));
    assert_eq!(drain(&mut tally, &daily, NOON).0, 2);
}
