//! This file is where rows G114 to G117 are put to guards that run: remembered verdicts, jumping clocks, many threads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_guard::jose::{Algorithm, SigningKey};
use gatepost_guard::{Caller, Guard, Refusal, RevocationCheck};
use tokio::sync::Semaphore;

use crate::clock::{NOW, TestClock};
use crate::jwks_server::JwksServer;
use crate::mint::{BOTH, Profile, fixed, fresh, key, text};
use crate::rows::code;

#[derive(Clone, Default)]
struct Revoked(Arc<Mutex<HashSet<String>>>);

impl RevocationCheck for Revoked {
    fn is_revoked(&self, caller: &Caller) -> bool {
        self.0.lock().unwrap().contains(&caller.jti)
    }
}

#[tokio::test]
async fn g114_a_remembered_verdict_dies_at_expiry() {
    for profile in BOTH {
        let clock = TestClock::new();
        let guard = profile.guard(fixed(&[key()])).clock(clock.clone()).build().unwrap();
        let token = profile.token_at(key(), NOW, 600);
        assert_eq!(code(&guard, &token).await, "accepted");

        clock.pass(659);
        assert_eq!(code(&guard, &token).await, "accepted", "the leeway is 60 s");
        clock.pass(1);
        assert_eq!(code(&guard, &token).await, "expired");
    }
}

#[tokio::test]
async fn g114_a_remembered_verdict_dies_at_revocation() {
    for profile in BOTH {
        let revoked = Revoked::default();
        let guard = profile
            .guard(fixed(&[key()]))
            .clock(TestClock::new())
            .revocations(revoked.clone())
            .build()
            .unwrap();
        let token = profile.token(key());
        assert_eq!(code(&guard, &token).await, "accepted");

        revoked.0.lock().unwrap().insert("token-1".into());
        assert_eq!(code(&guard, &token).await, "revoked");
    }
}

#[tokio::test]
async fn g114_a_remembered_verdict_dies_when_its_key_is_removed() {
    let other = fresh(Algorithm::Es256);
    for profile in BOTH {
        let (server, clock) = (JwksServer::with_keys(&[key(), &other]).await, TestClock::new());
        let guard = profile.guard(server.source()).clock(clock).build().unwrap();
        let (token, kept) = (profile.token(key()), profile.token(&other));
        assert_eq!((code(&guard, &token).await, code(&guard, &kept).await), ("accepted", "accepted"));

        server.publish(&[&other]);
        guard.refresh_keys().await.unwrap();

        assert_ne!(code(&guard, &token).await, "accepted");
        assert_eq!(code(&guard, &kept).await, "accepted");
    }
}

#[tokio::test]
async fn g114_forged_tokens_do_not_push_out_good_verdicts() {
    let clock = TestClock::new();
    let guard = Profile::Rfc9068.guard(fixed(&[key()])).clock(clock.clone()).remember(1).build().unwrap();
    let token = Profile::Rfc9068.token(key());
    assert_eq!(code(&guard, &token).await, "accepted");

    for number in 0..200 {
        let mut draft = Profile::Rfc9068.draft(key());
        draft.claims.set("jti", &text(&number.to_string()));
        assert_eq!(code(&guard, &format!("{}.AAAA", draft.input())).await, "signature");
    }

    // A clock set back tells whether the verdict is remembered: a new one would be that of a token from the future.
    clock.jump(-3600);
    assert_eq!(code(&guard, &token).await, "accepted");
}

#[tokio::test]
async fn g115_a_clock_set_forward_expires_what_it_must_and_forgets_nothing() {
    for profile in BOTH {
        let clock = TestClock::new();
        let guard = profile.guard(fixed(&[key()])).clock(clock.clone()).build().unwrap();
        let (short, long) = (profile.token_at(key(), NOW, 600), profile.token_at(key(), NOW, 7200));
        assert_eq!((code(&guard, &short).await, code(&guard, &long).await), ("accepted", "accepted"));

        clock.jump(3600);
        assert_eq!((code(&guard, &short).await, code(&guard, &long).await), ("expired", "accepted"));
        clock.jump(-3600);
        assert_eq!((code(&guard, &short).await, code(&guard, &long).await), ("accepted", "accepted"));
    }
}

#[tokio::test]
async fn g115_a_clock_set_back_lengthens_no_remembered_life() {
    for profile in BOTH {
        let clock = TestClock::new();
        let guard = profile.guard(fixed(&[key()])).clock(clock.clone()).build().unwrap();
        let token = profile.token_at(key(), NOW, 600);
        assert_eq!(code(&guard, &token).await, "accepted");

        clock.jump(-3600);
        assert_eq!(code(&guard, &token).await, "accepted", "remembered");
        let new = profile.token_at(key(), NOW, 1200);
        assert_eq!(code(&guard, &new).await, "not_yet_valid");
        clock.pass(660);
        assert_ne!(code(&guard, &token).await, "accepted", "its ten minutes and the leeway have passed");
    }
}

#[tokio::test]
async fn g115_wall_jumps_neither_hasten_nor_hold_up_fetches() {
    let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
    let guard = Profile::Rfc9068.guard(server.source()).clock(clock.clone()).build().unwrap();
    let unknown = Profile::Rfc9068.token(&fresh(Algorithm::Es256));
    assert_eq!(code(&guard, &unknown).await, "kid_unknown");
    let before = server.hits();

    for jump in [3600, -7200, 3600] {
        clock.jump(jump);
        assert_eq!(code(&guard, &unknown).await, "kid_unknown");
    }
    assert_eq!(server.hits(), before);
    clock.jump(-3600);
    clock.pass(30);
    assert_eq!(code(&guard, &unknown).await, "kid_unknown");
    assert_eq!(server.hits(), before + 1);
}

const THREADS: usize = 64;
const ROTATIONS: usize = 20;
const KEPT: usize = 2;

/// Keys follow one another; each is published one turn before it signs and stays for some turns after.
struct Rotation {
    keys: Vec<SigningKey>,
    turn: AtomicUsize,
    verdicts: Semaphore,
    done: AtomicBool,
}

impl Rotation {
    fn published(&self, turn: usize) -> Vec<&SigningKey> {
        self.keys[turn.saturating_sub(KEPT)..=turn + 1].iter().collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g116_many_threads_and_rotations_make_no_wrong_verdict() {
    for profile in BOTH {
        let keys = (0..ROTATIONS + 2).map(|_| fresh(Algorithm::Es256)).collect();
        let rotation = Arc::new(Rotation {
            keys,
            turn: AtomicUsize::new(0),
            verdicts: Semaphore::new(0),
            done: AtomicBool::new(false),
        });
        let (server, clock) = (JwksServer::with_keys(&rotation.published(0)).await, TestClock::new());
        let guard = profile.guard(server.source()).clock(clock.clone()).build().unwrap();
        let callers: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (guard, rotation, clock) = (guard.clone(), Arc::clone(&rotation), clock.clone());
                let runtime = tokio::runtime::Handle::current();
                std::thread::spawn(move || {
                    runtime.block_on(keep_calling(profile, seed, &guard, &rotation, &clock));
                })
            })
            .collect();

        for turn in 1..=ROTATIONS {
            wait_for_verdicts(&rotation).await;
            server.publish(&rotation.published(turn));
            clock.pass(31);
            rotation.turn.store(turn, Ordering::SeqCst);
        }
        wait_for_verdicts(&rotation).await;
        rotation.done.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.join().unwrap();
        }
        // In each turn its key was known before the next was published, and a key is published no sooner than one turn
        // before its own: of two turns one has brought a fetch, beside the first of all.
        assert!(
            server.hits() > ROTATIONS / 2,
            "{} fetches: a key was known before it was there",
            server.hits()
        );
    }
}

/// Waits until tokens of this turn were judged. What was judged before counts no more, and each thread has one token
/// under way at most, so half of these are of this turn, each accepted while it lasted. A thread that met a wrong
/// verdict is gone, so the wait has an end.
async fn wait_for_verdicts(rotation: &Rotation) {
    rotation.verdicts.forget_permits(usize::MAX);
    let twice_the_threads = u32::try_from(2 * THREADS).unwrap();
    let verdicts = rotation.verdicts.acquire_many(twice_the_threads);
    tokio::time::timeout(Duration::from_secs(60), verdicts).await.unwrap().unwrap().forget();
}

/// One thread: a token of the key that signs now, one of a key long gone, one forged.
async fn keep_calling(profile: Profile, seed: usize, guard: &Guard, rotation: &Rotation, clock: &TestClock) {
    let mut lifetime = i64::try_from(600 + seed).unwrap();
    while !rotation.done.load(Ordering::SeqCst) {
        let turn = rotation.turn.load(Ordering::SeqCst);
        lifetime = 600 + (lifetime + 64) % 2000;
        let token = profile.token_at(&rotation.keys[turn], clock.seconds(), lifetime);
        let verdict = guard.judge(&token).await;
        let now = rotation.turn.load(Ordering::SeqCst);
        assert!(verdict.is_ok() || now > turn + 1, "{profile:?} turn {turn} to {now}: {verdict:?}");

        let mut forged = profile.draft(&rotation.keys[turn]);
        forged.claims.set("partner_id", "\"another\"");
        let (_, signature) = token.rsplit_once('.').unwrap();
        assert!(guard.judge(&format!("{}.{signature}", forged.input())).await.is_err());

        // Tokens of the turn before were accepted, so the keys were fetched two turns ago at the latest.
        if let Some(gone) = turn.checked_sub(KEPT + 3) {
            assert!(guard.judge(&profile.token_at(&rotation.keys[gone], clock.seconds(), 60)).await.is_err());
        }
        rotation.verdicts.add_permits(1);
    }
}

#[tokio::test]
async fn g117_whatever_is_changed_the_answer_is_a_refusal_that_shows_nothing() {
    for profile in BOTH {
        let guard = profile.guard_of(&[key()]);
        let token = profile.token(key());
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
        };
        for _ in 0..5_000 {
            let mut letters: Vec<char> = token.chars().collect();
            for _ in 0..=next(3) {
                let place = next(letters.len());
                match next(4) {
                    0 => drop(letters.remove(place)),
                    1 => letters.insert(place, char::from(u8::try_from(next(127)).unwrap())),
                    2 => letters[place] = ['.', '=', 'A', '_', 'é', '\0'][next(6)],
                    _ => letters.truncate(place.max(1)),
                }
            }
            let changed: String = letters.into_iter().collect();
            if changed != token {
                assert_refused_without_a_trace(&guard, &changed).await;
            }
        }
    }
}

async fn assert_refused_without_a_trace(guard: &Guard, token: &str) {
    let refusal: Refusal = guard.judge(token).await.unwrap_err();
    let shown = format!("{refusal} {refusal:?} {}", refusal.code());
    let long_parts = token.split('.').filter(|part| part.len() >= 8);
    assert!(!long_parts.into_iter().any(|part| shown.contains(part)), "{shown}");
    assert!(matches!(refusal, Refusal::Invalid(_)), "{shown}");
}
