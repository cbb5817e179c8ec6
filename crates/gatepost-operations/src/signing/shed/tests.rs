//! This file is where it is tried what a queue sheds, and when it rises and stands.

use super::*;

const PATIENCE: Patience = Patience { target: 4, deadline: ms(2_000), growth: 16 };

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn at(now: u64) -> Moment {
    PATIENCE.at(ms(now), Some(ms(6)))
}

#[test]
fn a_queue_does_not_stand_for_ever_by_what_is_shed_from_it() {
    let mut standing = overflowed(1_000);
    let sheds = |standing: &mut Standing, now| standing.sheds(ms(25), &at(now)).is_some();
    let last = (1_000..400_000).step_by(100).take_while(|now| sheds(&mut standing, *now)).last();
    assert_eq!(last, Some(300_900), "50,000 signatures of 6 ms after it overflowed");
    standing.overflowed(&at(301_000));
    assert!(sheds(&mut standing, 301_000));
}

#[test]
fn a_wait_is_told_in_whole_seconds_never_too_few_and_at_least_one() {
    for (milliseconds, told) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (3_072, 4)] {
        assert_eq!(whole_seconds(ms(milliseconds)), told);
    }
}

/// After that many rounds in each of which so much goes and so much comes.
fn after(rounds: u32, go: u32, come: u32) -> Standing {
    let mut standing = Standing::default();
    go_on(&mut standing, rounds, go, come);
    standing
}

fn go_on(standing: &mut Standing, rounds: u32, go: u32, come: u32) {
    for _ in 0..rounds {
        standing.departed(go);
        (0..come).for_each(|_| standing.arrived());
    }
}

fn overflowed(at_ms: u64) -> Standing {
    let mut standing = Standing::default();
    standing.overflowed(&at(at_ms));
    standing
}

#[test]
fn a_queue_that_grows_while_it_is_served_is_served_from_its_end() {
    for (standing, expected, why) in [
        (after(15, 1, 2), false, "it has not grown enough"),
        (after(20, 1, 2), true, "it has"),
        (after(1_000, 1, 1), false, "they wait for their answers"),
        (after(1, 1, 1_000), false, "a burst"),
        (after(1, 1_000, 1_000), false, "a burst after a pause"),
        (after(1_000, 1, 0), false, "nobody comes"),
    ] {
        assert_eq!(standing.newest_first(&at(1_000)), expected, "{why}");
        assert!(!standing.stands(ms(1_000)), "it had places");
    }
}

#[test]
fn a_queue_that_has_grown_and_stays_so_is_served_from_its_beginning_again() {
    let mut standing = after(100, 1, 2);
    go_on(&mut standing, 47, 1, 1);
    assert!(standing.newest_first(&at(1_000)));
    go_on(&mut standing, 1, 1, 1);
    assert!(!standing.newest_first(&at(1_000)));
}

#[test]
fn a_queue_without_a_place_stands_for_a_while() {
    let standing = overflowed(1_000);
    assert!(standing.stands(ms(1_599)) && standing.newest_first(&at(1_599)));
    assert!(!standing.stands(ms(1_600)) && !standing.newest_first(&at(1_600)));
}

#[test]
fn work_is_shed_past_the_target_where_the_queue_stands_and_past_the_deadline_everywhere() {
    for (mut standing, waited, expected) in [
        (Standing::default(), 25, None),
        (Standing::default(), 2_000, None),
        (Standing::default(), 2_001, Some(Shed::Late)),
        (overflowed(1_000), 24, None),
        (overflowed(1_000), 25, Some(Shed::Stale)),
        (overflowed(1_000), 2_001, Some(Shed::Late)),
    ] {
        assert_eq!(standing.sheds(ms(waited), &at(1_000)), expected, "{waited} ms");
    }
}

#[test]
fn a_queue_in_which_something_came_too_late_stands() {
    let mut standing = Standing::default();
    standing.sheds(ms(2_001), &at(3_000));
    assert_eq!(standing.sheds(ms(1_999), &at(3_001)), Some(Shed::Stale));
}

#[test]
fn the_target_grows_with_the_time_of_a_signature_and_is_never_below_what_a_thread_waits_for_a_core() {
    for (signing, allowed) in [(6, 24), (60, 240), (0, 4)] {
        let moment = PATIENCE.at(ms(1_000), Some(ms(signing)));
        let mut standing = Standing { until: Some(ms(2_000)), ..Standing::default() };
        assert_eq!(standing.sheds(ms(allowed), &moment), None);
        assert_eq!(standing.sheds(ms(allowed + 1), &moment), Some(Shed::Stale));
    }
}

#[test]
fn before_the_first_signature_only_the_deadline_holds() {
    let mut standing = Standing { until: Some(ms(2_000)), ..Standing::default() };
    let moment = PATIENCE.at(ms(1_000), None);
    assert_eq!(standing.sheds(ms(2_000), &moment), None);
    standing.overflowed(&moment);
    assert!(!standing.stands(ms(3_000)));
}

#[test]
fn a_queue_stands_no_more_when_nothing_was_shed_for_a_while() {
    let mut standing = overflowed(1_000);
    assert_eq!(standing.sheds(ms(25), &at(1_500)), Some(Shed::Stale));
    assert!(standing.stands(ms(2_099)) && !standing.stands(ms(2_100)));
}
