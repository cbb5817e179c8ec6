//! This file is where rows about key sets are put to guards that fetch from a real server: G017 to G025, G106 to G110.

use std::time::Duration;

use gatepost_guard::jose::{Algorithm, JwkSet, base64url};
use gatepost_guard::{FetchError, Guard};
use serde_json::{Value, json};

use crate::clock::{NOW, TestClock};
use crate::jwks_server::{Answer, JwksServer, set};
use crate::mint::{BOTH, Profile, fresh, key, text};
use crate::rows::code;

/// A guard that fetched the keys of this server once.
pub(crate) async fn warm(profile: Profile, server: &JwksServer, clock: &TestClock) -> Guard {
    let guard = cold(profile, server, clock);
    guard.refresh_keys().await.unwrap();
    guard
}

/// A guard that has fetched nothing yet.
pub(crate) fn cold(profile: Profile, server: &JwksServer, clock: &TestClock) -> Guard {
    profile.guard(server.source()).clock(clock.clone()).build().unwrap()
}

fn unknown_kid(profile: Profile, number: usize) -> String {
    let mut draft = profile.draft(key());
    draft.header.set("kid", &text(&format!("unknown-{number}")));
    format!("{}.AAAA", draft.input())
}

#[tokio::test]
async fn g017_ten_thousand_unknown_ids_make_one_fetch_a_cool_down() {
    for profile in BOTH {
        let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
        let guard = warm(profile, &server, &clock).await;
        clock.pass(30);
        let before = server.hits();

        let mut calls = tokio::task::JoinSet::new();
        for number in 0..10_000 {
            let (guard, token) = (guard.clone(), unknown_kid(profile, number));
            calls.spawn(async move { guard.judge(&token).await.unwrap_err().code() });
        }
        let codes = calls.join_all().await;

        assert!(codes.iter().all(|code| *code == "kid_unknown"));
        assert_eq!(server.hits() - before, 1);
        clock.pass(30);
        assert_eq!(code(&guard, &unknown_kid(profile, 0)).await, "kid_unknown");
        assert_eq!(server.hits() - before, 2);
    }
}

#[tokio::test]
async fn g017_forged_signatures_without_an_id_make_one_fetch_a_cool_down() {
    let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
    let guard = warm(Profile::Passport, &server, &clock).await;
    clock.pass(30);
    let before = server.hits();

    for number in 0..500 {
        // The letter `A` is zero bits, so the text is canonical and of the right length.
        let forged = format!("{}.{number:A<342}", Profile::Passport.draft(key()).input());
        assert_eq!(code(&guard, &forged).await, "signature");
    }

    assert_eq!(server.hits() - before, 1);
}

#[tokio::test]
async fn g017_a_new_key_is_fetched_by_the_first_token_that_names_it() {
    for profile in BOTH {
        let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
        let guard = warm(profile, &server, &clock).await;
        let new = fresh(Algorithm::Es256);
        server.publish(&[key(), &new]);

        assert_ne!(code(&guard, &profile.token(&new)).await, "accepted", "the floor holds");
        clock.pass(30);
        assert_eq!(code(&guard, &profile.token(&new)).await, "accepted");
        assert_eq!(code(&guard, &profile.token(key())).await, "accepted");
    }
}

#[tokio::test]
async fn g018_a_failed_fetch_for_an_unknown_id_keeps_the_keys() {
    for profile in BOTH {
        let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
        let guard = warm(profile, &server, &clock).await;
        server.answer(Answer::Status(500));
        clock.pass(30);

        assert_eq!(code(&guard, &unknown_kid(profile, 1)).await, "kid_unknown");
        assert_eq!(server.hits(), 2);
        assert_eq!(code(&guard, &profile.token(key())).await, "accepted");
    }
}

#[tokio::test]
async fn g022_a_key_of_another_issuer_is_no_key_here() {
    let other = fresh(Algorithm::Rs256);
    for profile in BOTH {
        let (ours, theirs) = (profile.guard_of(&[key()]), profile.guard_of(&[&other]));
        let mut named = profile.draft(&other);
        named.header.set("kid", &text(other.kid().as_str()));
        let named = named.sign(&other);

        assert_eq!(code(&theirs, &named).await, "accepted");
        assert_eq!(code(&ours, &named).await, "kid_unknown");
        assert_eq!(code(&theirs, &profile.token(key())).await, code(&ours, &profile.token(&other)).await);
    }
}

#[tokio::test]
async fn g024_a_retired_key_verifies_nothing_after_the_overlap() {
    let new = fresh(Algorithm::Rs256);
    for profile in BOTH {
        let (server, clock) = (JwksServer::with_keys(&[key(), &new]).await, TestClock::new());
        let guard = warm(profile, &server, &clock).await;
        let (seen, unseen) = (profile.token(key()), profile.token_at(key(), NOW, 1800));
        assert_eq!(code(&guard, &seen).await, "accepted");

        server.publish(&[&new]);
        clock.pass(601);

        for token in [seen, unseen] {
            assert!(["kid_unknown", "signature"].contains(&code(&guard, &token).await), "{profile:?}");
        }
        assert_eq!(code(&guard, &profile.token(&new)).await, "accepted");
    }
}

#[tokio::test]
async fn g025_a_set_in_which_two_keys_share_an_id_is_refused_whole() {
    let other = fresh(Algorithm::Rs256);
    let mut keys: Value = serde_json::from_str(&set(&[key(), &other])).unwrap();
    keys["keys"][1]["kid"] = keys["keys"][0]["kid"].clone();
    for profile in BOTH {
        let server = JwksServer::with(Answer::Text("application/json", keys.to_string())).await;
        let guard = cold(profile, &server, &TestClock::new());

        assert!(matches!(guard.refresh_keys().await, Err(FetchError::Keys(_))));
        assert_eq!(code(&guard, &profile.token(key())).await, "no_keys");
    }
}

#[tokio::test]
async fn g106_bad_answers_bring_no_keys_and_take_none_away() {
    let many: Vec<_> = (0..100_000).map(|n| json!({"kty": "oct", "kid": n.to_string()})).collect();
    let few: Vec<_> = (0..101).map(|n| json!({"kty": "oct", "kid": n.to_string()})).collect();
    let good = set(&[key()]);
    for answer in [
        Answer::Text("application/json", format!("{}{good}", " ".repeat(10 * 1024 * 1024))),
        Answer::Text("application/json", json!({ "keys": many }).to_string()),
        Answer::Text("application/json", json!({ "keys": few }).to_string()),
        Answer::Text("application/json", "<html></html>".into()),
        Answer::Text("text/html", good.clone()),
        Answer::Status(500),
        Answer::Status(204),
        Answer::Status(304),
        Answer::Compressed(vec![0x1f, 0x8b, 8, 0]),
        Answer::Compressed(good.into_bytes()),
        Answer::Drip,
    ] {
        refused_cold_and_harmless_warm(answer).await;
    }
}

async fn refused_cold_and_harmless_warm(answer: Answer) {
    for profile in BOTH {
        let (server, clock) = (JwksServer::with(answer.clone()).await, TestClock::new());
        let source = server.source().deadline(Duration::from_millis(200));
        let guard = profile.guard(source).clock(clock.clone()).build().unwrap();
        assert!(guard.refresh_keys().await.is_err());
        assert_eq!(code(&guard, &profile.token(key())).await, "no_keys");

        server.publish(&[key()]);
        guard.refresh_keys().await.unwrap();
        // A 304 is an honest answer once there are keys.
        let unchanged = matches!(answer, Answer::Status(304));
        server.answer(answer.clone());
        assert_eq!(guard.refresh_keys().await.is_ok(), unchanged);
        assert_eq!(code(&guard, &profile.token(key())).await, "accepted");
    }
}

#[tokio::test]
async fn an_etag_saves_the_set_from_being_sent_again() {
    let (server, clock) = (JwksServer::with_keys(&[key()]).await, TestClock::new());
    let guard = warm(Profile::Rfc9068, &server, &clock).await;

    guard.refresh_keys().await.unwrap();
    assert_eq!(code(&guard, &Profile::Rfc9068.token(key())).await, "accepted");

    let new = fresh(Algorithm::Es256);
    server.publish(&[&new]);
    guard.refresh_keys().await.unwrap();
    assert_eq!(code(&guard, &Profile::Rfc9068.token(&new)).await, "accepted");
    assert_eq!(server.hits(), 3);
}

#[tokio::test]
async fn g109_a_symmetric_key_in_a_set_is_never_used() {
    let oct = json!({"kty": "oct", "k": base64url::encode(b"secret"), "alg": "HS256", "kid": "hmac"});
    for profile in BOTH {
        let mut keys: Value = serde_json::from_str(&set(&[key()])).unwrap();
        keys["keys"].as_array_mut().unwrap().push(oct.clone());
        let server = JwksServer::with(Answer::Text("application/json", keys.to_string())).await;
        let guard = warm(profile, &server, &TestClock::new()).await;
        let mut draft = profile.draft(key());
        draft.header.set("kid", "\"hmac\"");
        let by_id = draft.sign(key());
        draft.header.set("alg", "\"HS256\"");

        assert_eq!(code(&guard, &profile.token(key())).await, "accepted");
        assert_eq!(code(&guard, &by_id).await, "kid_unknown");
        assert_eq!(code(&guard, &format!("{}.AAAA", draft.input())).await, "algorithm_unknown");
    }
}

#[tokio::test]
async fn g110_unsound_rsa_keys_are_not_used() {
    let good = serde_json::to_value(key().public().to_jwk()).unwrap();
    let modulus = base64url::decode(good["n"].as_str().unwrap()).unwrap();
    let mut even = modulus.clone();
    even[255] &= 0xfe;
    for (n, e) in [
        (modulus[..128].to_vec(), vec![1, 0, 1]),
        (modulus[..64].to_vec(), vec![1, 0, 1]),
        (modulus.clone(), vec![1]),
        (modulus.clone(), vec![3]),
        (even, vec![1, 0, 1]),
        ([&[0], &modulus[..]].concat(), vec![1, 0, 1]),
    ] {
        let mut jwk = good.clone();
        jwk["n"] = json!(base64url::encode(&n));
        jwk["e"] = json!(base64url::encode(&e));
        let json = json!({ "keys": [jwk] }).to_string();
        assert!(JwkSet::parse(json.as_bytes()).unwrap().usable().is_empty());

        for profile in BOTH {
            let server = JwksServer::with(Answer::Text("application/json", json.clone())).await;
            let guard = warm(profile, &server, &TestClock::new()).await;
            assert!(["kid_unknown", "kid_missing"].contains(&code(&guard, &profile.token(key())).await));
        }
    }
}
