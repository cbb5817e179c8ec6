//! This file is where the threads are held to answering everybody: with a signature or with the reason why not.

use std::task::{Context, Waker};

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;
use gatepost_jose::{Algorithm, RsaBits};
use uuid::Uuid;

use super::*;

/// A text whose signature panics.
pub(super) const BREAKS: &str = "breaks";

fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(algorithm, RsaBits::B2048).unwrap())
}

fn bounds() -> Signing {
    Signing { threads: 1, queue: 64, per_client: 8, target: 1000, deadline: Duration::from_secs(30) }
}

fn pool(bounds: &Signing) -> Arc<Pool> {
    Arc::new(Pool::new(bounds, Arc::default()))
}

async fn sign(pool: &Pool, key: &Arc<SigningKey>, text: &str) -> Signed {
    sign_for(pool, key, text, "c").await
}

/// Asks for a client that is alone in its partner.
async fn sign_for(pool: &Pool, key: &Arc<SigningKey>, text: &str, client: &str) -> Signed {
    let number = client.bytes().fold(0, |number, byte| number << 8 | u128::from(byte));
    let (partner, client) = (PartnerId(Uuid::from_u128(number)), &ClientId::parse(client).unwrap());
    pool.sign(key, text.into(), Asker { partner, client }).await
}

/// Asks for that many signatures at once and waits for what becomes of them.
async fn flood(pool: &Arc<Pool>, count: usize) -> Vec<Signed> {
    let key = key(Algorithm::Rs256);
    let ask = || {
        let (pool, key) = (Arc::clone(pool), Arc::clone(&key));
        tokio::spawn(async move { sign(&pool, &key, "text").await })
    };
    let asked: Vec<_> = (0..count).map(|_| ask()).collect();
    let mut outcomes = Vec::new();
    for handle in asked {
        outcomes.push(handle.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn text_comes_back_with_a_signature_that_verifies() {
    let pool = pool(&bounds());
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let (text, signature) = sign(&pool, &key, "text").await.unwrap();
        assert_eq!(text, "text");
        key.public().verify(b"text", &signature).unwrap();
    }
}

#[tokio::test]
async fn work_past_its_deadline_is_refused_unsigned() {
    let pool = pool(&Signing { deadline: Duration::ZERO, ..bounds() });

    let outcome = sign(&pool, &key(Algorithm::Rs256), "text").await;

    assert_eq!(outcome, Err(NotSigned::Shed { why: Shed::Late, ahead: Duration::ZERO }));
    assert_eq!(pool.desk.metrics.snapshot().shed, [0, 0, 0, 1]);
}

#[tokio::test]
async fn what_one_client_may_not_let_wait_is_refused_at_once_and_counted() {
    let pool = pool(&bounds());

    let outcomes = flood(&pool, 64).await;

    let of_client = |one: &&_| matches!(one, Err(NotSigned::Shed { why: Shed::Client, .. }));
    let refused = outcomes.iter().filter(of_client).count();
    let counts = pool.desk.metrics.snapshot();
    assert!(refused > 0 && outcomes.iter().filter(|one| one.is_ok()).count() == 64 - refused);
    assert_eq!((counts.shed, counts.waits.count), ([refused as u64, 0, 0, 0], 64 - refused as u64));
    assert_eq!(pool.waiting(), 0);
}

#[tokio::test]
async fn without_a_thread_all_are_refused_at_once() {
    let pool = pool(&bounds());
    pool.running.set(Vec::new()).unwrap();

    let outcome = sign(&pool, &key(Algorithm::Rs256), "text").await;

    assert_eq!(outcome, Err(NotSigned::NoThread));
    assert_eq!(pool.waiting(), 0);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_signed() {
    let pool = pool(&Signing { queue: 512, per_client: 128, ..bounds() });
    assert!(pool.hold());
    let key = key(Algorithm::Rs256);
    let ask = |who: &'static str| {
        let (pool, key) = (Arc::clone(&pool), Arc::clone(&key));
        tokio::spawn(async move { sign_for(&pool, &key, "text", who).await })
    };
    let gone: Vec<_> = (0..50).flat_map(|_| [ask("a"), ask("b")]).collect();
    let (stays, comes_late) = (ask("a"), ask("c"));
    while pool.waiting() < 102 {
        tokio::task::yield_now().await;
    }

    for caller in gone {
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    pool.let_go();

    assert!(stays.await.unwrap().is_ok() && comes_late.await.unwrap().is_ok());
    assert_eq!(pool.desk.metrics.snapshot().waits.count, 2, "and nobody else's");
}

#[tokio::test]
async fn callers_that_have_gone_leave_their_places_to_those_that_wait() {
    let pool = pool(&bounds());
    assert!(pool.hold());
    let key = key(Algorithm::Rs256);
    let ask = || {
        let mut asked = Box::pin(sign(&pool, &key, "text"));
        let now = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        (now.is_pending(), asked)
    };
    let (_stays, gone) = (ask(), [(); 7].map(|()| ask()));
    assert!(!ask().0, "all eight places of the client are taken");
    drop(gone);

    let came = [(); 7].map(|()| ask());

    assert!(came.iter().all(|(waits, _)| *waits));
    assert_eq!((pool.waiting(), pool.desk.metrics.snapshot().shed), (8, [1, 0, 0, 0]));
}

#[tokio::test]
async fn a_signature_that_panics_fails_alone_and_its_thread_goes_on() {
    let (pool, key) = (pool(&bounds()), key(Algorithm::Rs256));
    for _ in 0..3 {
        assert_eq!(sign(&pool, &key, BREAKS).await, Err(NotSigned::Panicked));
    }
    assert!(sign(&pool, &key, "text").await.is_ok());
}
