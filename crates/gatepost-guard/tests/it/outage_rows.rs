//! This file is where the key source goes away and comes back: rows G111 and G112, and fetches behind callers' backs.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use gatepost_guard::jose::{Algorithm, SigningKey};

use crate::clock::TestClock;
use crate::jwks_server::{Answer, JwksServer};
use crate::key_set_rows::{cold, warm};
use crate::mint::{BOTH, Profile, fresh, key};
use crate::rows::{call, code};

#[tokio::test]
async fn g111_a_guard_that_starts_without_keys_refuses_and_recovers() {
    for profile in BOTH {
        let (server, clock) = (JwksServer::with(Answer::Status(503)).await, TestClock::new());
        let guard = cold(profile, &server, &clock);
        let bearer = HeaderValue::from_str(&format!("Bearer {}", profile.token(key()))).unwrap();

        let refused = call(&guard, bearer.clone()).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert!(!refused.headers().contains_key("www-authenticate"));

        server.publish(&[key()]);
        assert_eq!(
            call(&guard, bearer.clone()).await.status(),
            StatusCode::SERVICE_UNAVAILABLE,
            "the floor holds"
        );
        assert_eq!(server.hits(), 1);
        clock.pass(1);
        assert_eq!(call(&guard, bearer).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn g112_keys_outlive_the_issuer_until_the_bound() {
    for profile in BOTH {
        let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
        let guard = warm(profile, &server, &clock).await;
        server.answer(Answer::Drip);
        let fresh_token = || profile.token_at(key(), clock.seconds(), 3600);

        clock.pass(3600);
        // The first call after a silence waits for the fetch to fail, the next ones don't.
        server.answer(Answer::Status(500));
        assert_eq!(code(&guard, &fresh_token()).await, "accepted");
        server.answer(Answer::Drip);
        clock.pass(60);
        assert_eq!(code(&guard, &fresh_token()).await, "accepted");

        server.answer(Answer::Status(500));
        clock.pass(24 * 3600);
        let end = fresh_token();
        let refused = wait_for(|| code(&guard, &end), "no_keys").await;
        assert!(refused, "{profile:?}");
        server.publish(&[key()]);
        clock.pass(30);
        assert!(wait_for(|| code(&guard, &end), "accepted").await);
    }
}

/// Asks until the answer is this one, for at most ten seconds.
async fn wait_for<F: Future<Output = &'static str>>(ask: impl Fn() -> F, expected: &str) -> bool {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while tokio::time::Instant::now() < deadline {
        if ask().await == expected {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn keys_past_their_age_are_renewed_behind_the_callers_back() {
    let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
    let guard = warm(Profile::Rfc9068, &server, &clock).await;
    let new: SigningKey = fresh(Algorithm::Es256);
    server.publish(&[&new]);
    clock.pass(301);

    assert_eq!(code(&guard, &Profile::Rfc9068.token(key())).await, "accepted", "the call did not wait");
    let token = Profile::Rfc9068.token(key());
    assert!(wait_for(|| code(&guard, &token), "kid_unknown").await);
    assert_eq!(server.hits(), 2);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_end_the_fetch_for_the_others() {
    let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
    let guard = cold(Profile::Rfc9068, &server, &clock);
    let token = Profile::Rfc9068.token(key());

    let mut impatient = Box::pin(guard.judge(&token));
    assert!(poll_once(impatient.as_mut()).await.is_none(), "the first call waits for the keys");
    drop(impatient);

    // The clock stands still, so no other fetch may begin: only that one can bring the keys.
    assert!(wait_for(|| code(&guard, &token), "accepted").await);
    assert_eq!(server.hits(), 1);
}

/// Asks a future once whether it is done.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}
