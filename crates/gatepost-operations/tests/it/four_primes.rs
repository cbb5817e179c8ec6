//! This file is where keys of four primes are led through their lives, and refused by builds that can't hold them.

use gatepost_operations::core::secret::Secret;
use gatepost_operations::failure::Kind;
use gatepost_operations::jose::Primes;
use gatepost_operations::keys;
use gatepost_operations::setup::DEFAULT_API;

use crate::stage::{ACTOR, Stage};

const PEM: &str = include_str!("../../../gatepost-jose/tests/data/rsa-four-primes-pkcs8.pem");

fn pem() -> Secret {
    Secret::new(PEM.to_owned())
}

#[tokio::test]
async fn keys_that_are_not_rsa_are_not_made_of_primes() {
    let stage = Stage::with_api().await;
    for primes in [Primes::Two, Primes::Four] {
        let refused = keys::rotate_to(&stage.gate, &ACTOR, "bookings", Some(primes), true).await.unwrap_err();
        assert_eq!((refused.kind, refused.code), (Kind::Invalid, "key.primes"));
        assert!(refused.why.contains("EdDSA"), "{}", refused.why);
    }
}

#[cfg(not(feature = "multi-prime"))]
#[tokio::test]
async fn a_build_that_can_not_hold_them_makes_and_takes_none_and_says_what_can() {
    let stage = Stage::with_api().await;
    let gate = &stage.gate;
    let rotated = keys::rotate_to(gate, &ACTOR, DEFAULT_API, Some(Primes::Four), false).await.unwrap_err();
    let imported = keys::import(gate, &ACTOR, DEFAULT_API, &pem()).await.unwrap_err();
    for refused in [rotated, imported] {
        assert_eq!((refused.kind, refused.code), (Kind::Configuration, "key.primes_absent"));
        assert!(refused.fix.contains("--features multi-prime"), "{}", refused.fix);
    }
    assert_eq!(keys::list(gate, Some(DEFAULT_API)).await.unwrap().len(), 1);
}

#[cfg(feature = "multi-prime")]
mod held {
    use std::time::Duration;

    use gatepost_operations::doctor;
    use gatepost_operations::gate::Gate;

    use super::*;
    use crate::stage::open;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(86_400);

    /// State and primes of the keys of the API, in order of their creation.
    async fn keys_of(gate: &Gate) -> Vec<(&'static str, Option<u8>)> {
        let listed = keys::list(gate, Some(DEFAULT_API)).await.unwrap();
        listed.into_iter().map(|key| (key.state, key.primes)).collect()
    }

    async fn with_a_signing_key_of_four_primes() -> Stage {
        let stage = Stage::empty().await;
        let gate = &stage.gate;
        stage.pass(HOUR);
        let plan = keys::rotate_to(gate, &ACTOR, DEFAULT_API, Some(Primes::Four), false).await.unwrap();
        assert_eq!(plan.primes, Some(4));
        keys::promote(gate, &ACTOR, DEFAULT_API, true).await.unwrap();
        stage
    }

    #[tokio::test]
    async fn a_schedule_keeps_the_number_of_primes_until_another_is_asked_for() {
        let stage = with_a_signing_key_of_four_primes().await;
        let gate = &stage.gate;
        assert_eq!(keys_of(gate).await, [("verifying", Some(2)), ("signing", Some(4))]);

        stage.pass(DAY * 90);
        keys::tick(gate).await.unwrap();
        assert_eq!(keys_of(gate).await, [("retired", None), ("signing", Some(4)), ("published", Some(4))]);

        keys::promote(gate, &ACTOR, DEFAULT_API, true).await.unwrap();
        stage.pass(HOUR);
        let plan = keys::rotate_to(gate, &ACTOR, DEFAULT_API, Some(Primes::Two), false).await.unwrap();
        assert_eq!(plan.primes, Some(2));
        assert_eq!(keys_of(gate).await.last(), Some(&("published", Some(2))));
    }

    #[tokio::test]
    async fn the_successor_of_a_revoked_key_has_as_many_primes() {
        let stage = with_a_signing_key_of_four_primes().await;
        stage.pass(HOUR);
        let signing = keys::list(&stage.gate, Some(DEFAULT_API)).await.unwrap().pop().unwrap();
        keys::revoke(&stage.gate, &ACTOR, &signing.kid).await.unwrap();
        assert_eq!(keys_of(&stage.gate).await[1..], [("revoked", None), ("signing", Some(4))]);
    }

    #[tokio::test]
    async fn a_key_that_is_brought_along_is_sealed_and_opened_again_like_any_other() {
        let stage = Stage::empty().await;
        stage.pass(HOUR);
        let imported = keys::import(&stage.gate, &ACTOR, DEFAULT_API, &pem()).await.unwrap();
        assert_eq!((imported.state, imported.primes), ("published", Some(4)));
        keys::promote(&stage.gate, &ACTOR, DEFAULT_API, true).await.unwrap();
        let exported = keys::export_public(&stage.gate, DEFAULT_API).unwrap();
        let public = include_str!("../../../gatepost-jose/tests/data/rsa-four-primes-public.pem");
        assert_eq!((exported.pem.as_str(), exported.kid), (public, imported.kid));

        gatepost_operations::master_key::add_wrapping_key(stage.folder.path(), &stage.gate.entropy).unwrap();
        let again = open(stage.folder.path(), &stage.hands).await;
        assert!(keys::rewrap(&again, &ACTOR).await.unwrap() > 0);
        let again = open(stage.folder.path(), &stage.hands).await;
        assert_eq!(keys_of(&again).await, [("verifying", Some(2)), ("signing", Some(4))]);
    }

    #[tokio::test]
    async fn the_doctor_times_a_key_of_four_primes() {
        let stage = with_a_signing_key_of_four_primes().await;
        let checks = doctor::inside(&stage.gate).await.unwrap();
        let told = checks.iter().filter(|check| check.what.contains("four primes of default signs"));
        assert_eq!(told.count(), 1, "{checks:?}");
    }
}
