//! This file is where the proof of a client is tried: a table of what was found and presented against what comes of it.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::clients::{Client, ClientId, UngrantedScope, UserId};
use crate::grants::GrantType;
use crate::limits::ClientLimits;
use crate::name::Name;
use crate::partners::PartnerId;
use crate::scope::Scopes;
use crate::secret::{Pepper, Secret};
use crate::time::Lifetime;

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
const SECRET: &str = "right";

pub(super) fn peppers() -> Peppers {
    Peppers::new(Pepper::new("now".into(), &[1; 32]), vec![Pepper::new("old".into(), &[2; 32])])
}

pub(super) fn record(peppers: &Peppers) -> ClientRecord {
    let tag = peppers.tag(&Secret::new(SECRET.into()));
    let secret = StoredSecret {
        id: SecretId(Uuid::from_u128(9)),
        label: None,
        tag,
        created: NOW,
        not_before: None,
        expires: None,
        ended: None,
    };
    let client = Client {
        id: ClientId::parse("c").unwrap(),
        partner_id: PartnerId(Uuid::from_u128(1)),
        user_id: UserId(Uuid::from_u128(2)),
        name: Name::parse("n").unwrap(),
        is_test: false,
        apis: vec![],
        scopes: Scopes::NONE,
        default_scopes: None,
        ungranted_scope: UngrantedScope::Refused,
        lifetime: Lifetime::HOUR,
        allow: vec![],
        auth_method: None,
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: None,
        created: NOW,
        version: 1,
    };
    ClientRecord {
        client,
        partner_status: Status::Active,
        partner_expires: None,
        secrets: vec![secret],
        keys: vec![],
        limits: ClientLimits::default(),
    }
}

/// A client in good standing, for tests of what it holds.
pub(in crate::clients) fn sample_record() -> ClientRecord {
    record(&peppers())
}

/// Asks with `secret` for the client as `change` left it; the reason of the refusal, or "ok", and the tags it took.
fn ask(secret: &str, change: impl FnOnce(&mut ClientRecord)) -> (String, u64) {
    let peppers = peppers();
    let mut record = record(&peppers);
    change(&mut record);
    judge(Some(&Arc::new(record)), secret, &peppers)
}

fn judge(found: Option<&Arc<ClientRecord>>, secret: &str, peppers: &Peppers) -> (String, u64) {
    let before = peppers.used();
    let presented = Credentials { client_id: "c".into(), secret: Secret::new(secret.into()) };
    let source = Source { method: Method::SecretPost, address: Some([10, 1, 2, 3].into()) };
    let outcome = authenticate(found, &presented, source, peppers, NOW);
    (outcome.map_or_else(|refusal| refusal.reason.into_owned(), |_| "ok".to_owned()), peppers.used() - before)
}

#[test]
fn the_right_secret_of_a_client_in_good_standing_is_proof() {
    assert_eq!(ask(SECRET, |_| {}), ("ok".into(), 1));
}

#[test]
fn unknown_wrong_and_suspended_take_the_same_steps() {
    let unknown = judge(None, SECRET, &peppers());
    let wrong = ask("wrong", |_| {});
    let suspended = ask(SECRET, |record| record.client.status = Status::Suspended);
    let partner = ask(SECRET, |record| record.partner_status = Status::Suspended);

    let pending =
        ask(SECRET, |record| record.secrets[0].not_before = Some(NOW.after(Duration::from_secs(1))));
    let expired = ask(SECRET, |record| record.partner_expires = Some(NOW));

    assert_eq!(pending.1 + expired.1, 2);
    assert_eq!(unknown, ("no such client".into(), 1));
    assert_eq!(wrong, ("wrong secret".into(), 1));
    assert_eq!(suspended, ("the client is suspended".into(), 1));
    assert_eq!(partner, ("the partner is suspended".into(), 1));
}

#[test]
fn every_bar_to_a_client_refuses_it() {
    type Bar = fn(&mut ClientRecord);
    let bars: [(&str, Bar); 11] = [
        ("the secret has expired", |r| r.secrets[0].expires = Some(NOW)),
        ("the secret was ended", |r| r.secrets[0].ended = Some(NOW)),
        ("the secret is not valid yet", |r| {
            r.secrets[0].not_before = Some(NOW.after(Duration::from_micros(1)));
        }),
        ("the client has expired", |r| r.client.expires = Some(NOW)),
        ("the client has expired", |r| r.client.status = Status::Expired),
        ("the partner has expired", |r| r.partner_expires = Some(NOW)),
        ("the partner has expired", |r| r.partner_status = Status::Expired),
        ("the client is pinned to another authentication method", |r| {
            r.client.auth_method = Some(Method::SecretBasic);
        }),
        ("the client is pinned to another authentication method", |r| {
            r.client.auth_method = Some(Method::PrivateKeyJwt);
        }),
        ("the address is not in the client's list", |r| {
            r.client.allow = vec!["10.9.0.0/16".parse().unwrap()];
        }),
        ("wrong secret", |r| r.secrets.clear()),
    ];
    for (reason, bar) in bars {
        assert_eq!(ask(SECRET, bar).0, reason);
    }
}

#[test]
fn a_client_may_be_held_to_its_addresses() {
    let allowed = |r: &mut ClientRecord| r.client.allow = vec!["10.1.0.0/16".parse().unwrap()];
    assert_eq!(ask(SECRET, allowed).0, "ok");
}

#[test]
fn a_secret_tagged_under_an_older_pepper_is_still_proof() {
    let peppers = peppers();
    let mut record = record(&peppers);
    record.secrets[0].tag = peppers.tag_under("old", &Secret::new(SECRET.into())).unwrap();
    record.secrets[0].expires = Some(NOW.after(Duration::from_secs(1)));

    assert_eq!(judge(Some(&Arc::new(record)), SECRET, &peppers).0, "ok");
}

#[test]
fn a_secret_is_proof_from_its_first_moment_on() {
    assert_eq!(ask(SECRET, |r| r.secrets[0].not_before = Some(NOW)).0, "ok");
}
