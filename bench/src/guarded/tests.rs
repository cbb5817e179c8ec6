//! This file is where it is tested that guarded calls are measured as they are, and void when they are not.

use super::*;

const LOAD: VerifyLoad =
    VerifyLoad { algorithm: Subject::Eddsa, threads: 2, slices: 2, slice: Duration::ZERO };

#[test]
fn every_call_is_accounted_for_by_what_the_guard_counted() {
    let calls = Calls::sign(Subject::Eddsa, 9).expect("tokens");
    let found = LOAD.measure(&calls, &|_| ()).expect("figures");
    assert_eq!(found.void, [""; 0]);
    // Each slice has one turn of new tokens and one of forged ones, each with nine tokens.
    assert_eq!((found.tokens, found.verifications), (9, 36));
    assert_eq!((found.full.len(), found.remembered_us.samples), (2, 9));
}

#[test]
fn a_guard_that_counts_otherwise_voids_the_figure() {
    let calls = Calls::sign(Subject::Eddsa, 2).expect("tokens");
    let mut found = LOAD.nothing_yet(&calls);
    let keys = FixedKeys::new([calls.key.public().clone()]);
    let guard = Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(keys).build().expect("a guard");
    let once = Done { count: 1, ..Done::default() };
    let none = Done::default();
    found.judge(&guard, [&once, &none, &none, &none]);
    assert_eq!(found.void.len(), 2);
}

#[test]
fn a_good_token_that_is_refused_and_a_forged_one_that_is_let_in_end_the_measurement() {
    let calls = Calls::sign(Subject::Eddsa, 2).expect("tokens");
    let other = Calls::sign(Subject::Eddsa, 2).expect("tokens");
    let keys = FixedKeys::new([calls.key.public().clone()]);
    let guard = Guard::builder().rfc9068(ISSUER, AUDIENCE).keys(keys).build().expect("a guard");
    assert!(LOAD.timed(&guard, &other.good).is_err());
    assert!(LOAD.guarded(&guard, &calls.good, End::Forged).is_err());
    assert!(LOAD.guarded(&guard, &calls.forged, End::Forged).is_ok());
}
