//! This file is where it is tested that what is to expire is found, and that terms come back as they were written.

use gatepost_core::change::{Change, Subject};
use gatepost_core::clients::{Client, StoredSecret};
use gatepost_core::partners::{Partner, Status};

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, at, audited, client, partner, secret};

on_every_engine![
    what_expires_is_found_soonest_first_and_only_while_it_is_active,
    the_terms_of_secrets_and_partners_come_back_as_they_were,
    an_expiry_that_is_written_down_ends_the_search_for_it,
];

async fn what_expires_is_found_soonest_first_and_only_while_it_is_active(home: Home) {
    let store = home.open().await;
    let owner = Partner { expires: Some(at(20)), ..partner("a") };
    let suspended = Partner { status: Status::Suspended, expires: Some(at(5)), ..partner("b") };
    let named = |name: &str, micros: i64| Client { expires: Some(at(micros)), ..client(name, &owner, &[]) };
    let (soon, late) = (named("soon", 10), named("late", 31));
    let never = Client { expires: None, ..client("never", &owner, &[]) };
    let expired = Client { status: Status::Expired, ..named("expired", 1) };
    let clients = [late, soon.clone(), never, expired];
    let created = clients.map(|client| Change::ClientCreated { client, secret: None });
    let partners = [owner.clone(), suspended].map(Change::PartnerCreated);
    store.apply(&audited(partners.into_iter().chain(created))).await.unwrap();

    let expected = [(Subject::Client(soon.id), at(10)), (Subject::Partner(owner.id), at(20))];
    assert_eq!(store.expiring(at(30), 10).await.unwrap(), expected);
    assert_eq!(store.expiring(at(30), 1).await.unwrap(), expected[..1]);
    assert_eq!(store.expiring(at(9), 10).await.unwrap(), []);
}

async fn the_terms_of_secrets_and_partners_come_back_as_they_were(home: Home) {
    let store = home.open().await;
    let (owner, api, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let pending = StoredSecret { not_before: Some(at(70)), created: at(5), ..secret("pending") };
    let changed = Partner { expires: Some(at(99)), ..owner };
    let changes = [
        Change::SecretAdded { client: app.id.clone(), secret: pending.clone() },
        Change::ApiSecretAdded { api: api.id, secret: pending.clone() },
        Change::PartnerUpdated(changed.clone()),
    ];
    store.apply(&audited(changes)).await.unwrap();

    let record = store.client_record(&app.id).await.unwrap().unwrap();
    assert_eq!(record.secrets, [secret("first"), pending.clone()]);
    assert_eq!(record.partner_expires, Some(at(99)));
    assert_eq!(store.secrets(&app.id).await.unwrap(), [secret("first"), pending.clone()]);
    assert_eq!(store.api_secrets(api.id).await.unwrap(), std::slice::from_ref(&pending));
    assert_eq!(store.api_access().await.unwrap()[0].secrets, [pending]);
    assert_eq!(store.partner(changed.id).await.unwrap(), Some(Partner { version: 2, ..changed }));
}

async fn an_expiry_that_is_written_down_ends_the_search_for_it(home: Home) {
    let store = home.open().await;
    let (owner, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let later = at(10_000_000_000);
    assert_eq!(store.expiring(later, 10).await.unwrap().len(), 1);

    let expired = Client { status: Status::Expired, ..app.clone() };
    let partner = Partner { status: Status::Expired, expires: Some(at(1)), ..owner };
    store.apply(&audited([Change::ClientExpired(expired), Change::PartnerExpired(partner)])).await.unwrap();
    assert_eq!(store.expiring(later, 10).await.unwrap(), []);
    let record = store.client_record(&app.id).await.unwrap().unwrap();
    assert_eq!((record.client.status, record.partner_status), (Status::Expired, Status::Expired));
    let lines = store.audit_lines(0, 100).await.unwrap();
    let actions: Vec<_> = lines.iter().rev().take(2).map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["partner.expired", "client.expired"]);
}
