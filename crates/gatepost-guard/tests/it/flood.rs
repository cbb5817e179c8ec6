//! This file is where it is tested what a flood of forged tokens costs: a verification each, no fetch, no good verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost_guard::jose::{Algorithm, JwkSet, SigningKey, key_in_jti};
use gatepost_guard::{Caller, Fetching, FixedKeys, Guard, KeySource, Refusal, RevocationCheck};

use super::clock::TestClock;
use super::mint::{BOTH, Profile, fixed, fresh, text};

const GOOD: usize = 100;
const FORGED: u64 = 1_000;

/// A token of its own.
fn token(profile: Profile, key: &SigningKey, jti: &str) -> String {
    let mut draft = profile.draft(key);
    draft.claims.set("jti", &text(jti));
    draft.sign(key)
}

/// One that says it was signed by `named`, and was not.
fn forged(profile: Profile, named: &SigningKey, forger: &SigningKey, jti: &str) -> String {
    let mut draft = profile.draft(named);
    draft.claims.set("jti", &text(jti));
    draft.sign(forger)
}

async fn all_pass(guard: &Guard, tokens: &[String]) {
    for token in tokens {
        guard.judge(token).await.unwrap();
    }
}

#[tokio::test]
async fn forged_tokens_cost_a_verification_each_and_push_out_no_good_verdict() {
    let (key, forger) = (fresh(Algorithm::EdDsa), fresh(Algorithm::EdDsa));
    for profile in BOTH {
        let guard =
            profile.guard(fixed(&[&key])).remember(GOOD as u64).clock(TestClock::new()).build().unwrap();
        let good: Vec<_> = (0..GOOD).map(|number| token(profile, &key, &format!("good-{number}"))).collect();
        all_pass(&guard, &good).await;
        assert_eq!(guard.verifications(), GOOD as u64);

        for number in 0..FORGED {
            let forged = forged(profile, &key, &forger, &format!("forged-{number}"));
            assert!(guard.judge(&forged).await.is_err(), "{profile:?}");
        }
        let after = GOOD as u64 + FORGED;
        assert_eq!(guard.verifications(), after, "{profile:?}: one each");

        all_pass(&guard, &good).await;
        assert_eq!(guard.verifications(), after, "{profile:?}: every good verdict is still there");
    }
}

#[tokio::test]
async fn a_forged_token_is_not_remembered_as_anything() {
    let (key, forger) = (fresh(Algorithm::EdDsa), fresh(Algorithm::EdDsa));
    let guard = Profile::Rfc9068.guard_of(&[&key]);
    let forged = forged(Profile::Rfc9068, &key, &forger, "again");
    for times in 1..=3 {
        assert!(guard.judge(&forged).await.is_err());
        assert_eq!(guard.verifications(), times);
    }
}

/// Revokes everything.
struct AllRevoked;

impl RevocationCheck for AllRevoked {
    fn is_revoked(&self, _: &Caller) -> bool {
        true
    }
}

#[tokio::test]
async fn a_revoked_token_that_comes_again_is_refused_without_another_verification() {
    let key = fresh(Algorithm::EdDsa);
    let guard = Profile::Rfc9068
        .guard(fixed(&[&key]))
        .clock(TestClock::new())
        .revocations(AllRevoked)
        .build()
        .unwrap();
    let token = token(Profile::Rfc9068, &key, "revoked");
    for _ in 0..3 {
        assert_eq!(guard.judge(&token).await.unwrap_err(), Refusal::Revoked);
    }
    assert_eq!(guard.verifications(), 1);
}

/// Four public keys as a guard reads them, of which the first `here` are named in each token that they sign.
fn four(keys: &[SigningKey; 4], here: usize) -> FixedKeys {
    let keys = keys.iter().enumerate().map(|(at, key)| key.public().clone().named_in_jti(at < here));
    let set = serde_json::to_vec(&JwkSet::of(&keys.collect::<Vec<_>>())).unwrap();
    FixedKeys::from_jwks(&set).unwrap()
}

/// A `jti` that names a key, or none.
fn id(names: Option<&SigningKey>, number: u64) -> String {
    let mut chance = [0x5a; 40];
    chance[..8].copy_from_slice(&number.to_be_bytes());
    let id = names.map_or(chance, |key| key_in_jti::naming(key.kid(), chance));
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_forged_token_without_kid_costs_one_check_however_many_keys_there_are() {
    let (keys, forger) = (std::array::from_fn(|_| fresh(Algorithm::EdDsa)), fresh(Algorithm::EdDsa));
    // How many of the four are named in each of their tokens, and what a token costs that names none.
    for (here, unnamed) in [(4, 0), (3, 1), (2, 2), (0, 4)] {
        let guard = Profile::Passport.guard(four(&keys, here)).clock(TestClock::new()).build().unwrap();
        let cost = async |key: &SigningKey, jti: String| {
            let before = guard.signature_checks();
            let good = guard.judge(&token(Profile::Passport, key, &jti)).await.is_ok();
            (good, guard.signature_checks() - before)
        };
        for (number, key) in (0..).zip(&keys) {
            assert_eq!(
                cost(key, id(Some(key), number)).await,
                (true, 1),
                "{here} named, good, the {number}th"
            );
            assert_eq!(cost(&forger, id(Some(key), 10 + number)).await, (false, 1), "{here} named, forged");
        }
        assert_eq!(cost(&forger, id(None, 20)).await, (false, unnamed), "{here} named");
        assert_eq!(cost(&forger, id(Some(&forger), 21)).await, (false, unnamed), "{here} named");
        assert_eq!(cost(&forger, "short".into()).await, (false, unnamed), "{here} named");
    }
}

#[tokio::test]
async fn keys_that_were_fetched_again_and_are_the_same_cost_no_second_check() {
    let (key, forger, clock) = (fresh(Algorithm::EdDsa), fresh(Algorithm::EdDsa), TestClock::new());
    let fetches = Arc::new(AtomicUsize::new(0));
    let source = Counted(fixed(&[&key]), Arc::clone(&fetches));
    let guard = Profile::Passport.guard(source).clock(clock.clone()).build().unwrap();
    for round in 1..=3 {
        clock.pass(31);
        assert!(guard.judge(&token(Profile::Passport, &forger, &format!("forged-{round}"))).await.is_err());
        assert_eq!(guard.signature_checks(), round);
    }
    assert!(fetches.load(Ordering::Relaxed) >= 3, "a key that nobody knows yet may be new");
}

/// Keys that count how often they are fetched.
struct Counted(FixedKeys, Arc<AtomicUsize>);

impl KeySource for Counted {
    fn fetch<'a>(&'a self, etag: Option<&'a str>) -> Fetching<'a> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.fetch(etag)
    }
}

#[tokio::test]
async fn made_up_key_ids_fetch_no_more_than_the_floor_allows() {
    let (key, fetches) = (fresh(Algorithm::EdDsa), Arc::new(AtomicUsize::new(0)));
    let source = Counted(fixed(&[&key]), Arc::clone(&fetches));
    let guard = Profile::Rfc9068.guard(source).clock(TestClock::new()).build().unwrap();
    for number in 0..FORGED {
        let mut draft = Profile::Rfc9068.draft(&key);
        draft.header.set("kid", &text(&format!("made-up-{number}")));
        assert_ne!(guard.judge(&draft.sign(&key)).await.unwrap_err(), Refusal::NotReady);
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 1, "the first fetch; the clock stands still");
}
