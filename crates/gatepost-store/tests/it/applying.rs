//! This file is where it is tested what each change does, and that a batch is done whole or not at all.

use std::num::NonZeroU32;

use gatepost_core::apis::Api;
use gatepost_core::change::Change;
use gatepost_core::clients::Client;
use gatepost_core::keys::KeyOwner;
use gatepost_core::keys::rotation::Turns;
use gatepost_core::name::Name;
use gatepost_core::partners::{Partner, Status};
use gatepost_core::scope::Scopes;
use gatepost_jose::Algorithm;
use gatepost_store::{Page, StoreError};

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, api, audited, client, key, partner, scope, secret};

on_every_engine![
    an_update_writes_every_member_and_counts_the_version,
    an_updated_client_has_exactly_its_new_apis,
    a_deleted_partner_is_gone,
    a_deleted_api_takes_its_scopes_and_keys_with_it,
    a_deleted_scope_leaves_the_clients_as_they_are,
    a_deleted_client_takes_its_secrets_with_it,
    a_batch_with_one_bad_change_leaves_nothing_behind,
    a_batch_counts_each_change,
];

async fn an_update_writes_every_member_and_counts_the_version(home: Home) {
    let store = home.open().await;
    let (owner, bookings, _, changes) = acme();
    store.apply(&changes).await.unwrap();
    let name = Name::parse("New & Co").unwrap();
    let owner = Partner { name: name.clone(), status: Status::Suspended, ..owner };
    let other = api("other");
    let turns = Turns::Every(NonZeroU32::new(86_400).unwrap());
    let bookings =
        Api { name: other.name, audience: other.audience, algorithm: Algorithm::Ps256, turns, ..bookings };
    store
        .apply(&audited([Change::PartnerUpdated(owner.clone()), Change::ApiUpdated(bookings.clone())]))
        .await
        .unwrap();

    assert_eq!(store.partner(owner.id).await.unwrap(), Some(Partner { version: 2, ..owner.clone() }));
    assert_eq!(store.apis().await.unwrap()[0].api, Api { version: 2, ..bookings });

    let again = Partner { status: Status::Active, version: 2, ..owner };
    store.apply(&audited([Change::PartnerUpdated(again.clone())])).await.unwrap();
    assert_eq!(store.partner(again.id).await.unwrap(), Some(Partner { version: 3, ..again }));
}

async fn an_updated_client_has_exactly_its_new_apis(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    let other = api("other");
    store.apply(&changes).await.unwrap();
    store.apply(&audited([Change::ApiCreated(other.clone())])).await.unwrap();
    let both = Client { apis: vec![other.id, bookings.id], ..app.clone() };
    store.apply(&audited([Change::ClientUpdated(both.clone())])).await.unwrap();
    assert_eq!(store.clients(None, Page::LONGEST).await.unwrap(), [Client { version: 2, ..both }]);

    let bare = Client {
        apis: vec![other.id],
        version: 2,
        is_test: false,
        scopes: Scopes::NONE,
        default_scopes: None,
        allow: vec![],
        auth_method: None,
        status: Status::Suspended,
        expires: None,
        ..app
    };
    store.apply(&audited([Change::ClientUpdated(bare.clone())])).await.unwrap();
    assert_eq!(store.clients(Some(owner.id), Page::LONGEST).await.unwrap(), [Client { version: 3, ..bare }]);
}

async fn a_deleted_partner_is_gone(home: Home) {
    let store = home.open().await;
    let owner = partner("acme");
    store.apply(&audited([Change::PartnerCreated(owner.clone())])).await.unwrap();
    store.apply(&audited([Change::PartnerDeleted(owner.id)])).await.unwrap();

    assert_eq!(store.partners(Page::LONGEST).await.unwrap(), []);
    store.apply(&audited([Change::PartnerCreated(owner)])).await.unwrap();
}

async fn a_deleted_api_takes_its_scopes_and_keys_with_it(home: Home) {
    let store = home.open().await;
    let (gone, stays) = (api("gone"), api("stays"));
    let changes = [
        Change::ApiCreated(gone.clone()),
        Change::ApiCreated(stays.clone()),
        Change::ScopeCreated(gone.id, scope("read")),
        Change::ScopeCreated(stays.id, scope("read")),
        Change::KeyAdded(key("k1", KeyOwner::Api(gone.id))),
        Change::KeyAdded(key("k2", KeyOwner::Api(stays.id))),
        Change::ApiDeleted(gone.id),
    ];
    store.apply(&audited(changes)).await.unwrap();

    let apis = store.apis().await.unwrap();
    assert_eq!(apis.len(), 1);
    assert_eq!((&apis[0].api, &apis[0].scopes), (&stays, &vec![scope("read")]));
    assert_eq!(store.keys().await.unwrap(), [key("k2", KeyOwner::Api(stays.id))]);
}

async fn a_deleted_scope_leaves_the_clients_as_they_are(home: Home) {
    let store = home.open().await;
    let (_, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    store.apply(&audited([Change::ScopeDeleted(bookings.id, scope("read").name)])).await.unwrap();

    assert_eq!(store.apis().await.unwrap()[0].scopes, [scope("write")]);
    assert_eq!(store.client_record(&app.id).await.unwrap().unwrap().client, app);
}

async fn a_deleted_client_takes_its_secrets_with_it(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    store.apply(&audited([Change::ClientDeleted(app.id.clone())])).await.unwrap();

    assert_eq!(store.client_record(&app.id).await.unwrap(), None);
    assert_eq!(store.secrets(&app.id).await.unwrap(), []);
    let leave = [Change::PartnerDeleted(owner.id), Change::ApiDeleted(bookings.id)];
    store.apply(&audited(leave)).await.unwrap();
}

async fn a_batch_with_one_bad_change_leaves_nothing_behind(home: Home) {
    let store = home.open().await;
    let (first, twin) = (partner("acme"), partner("acme"));
    let batch = [
        Change::ApiCreated(api("bookings")),
        Change::PartnerCreated(first),
        Change::KeyAdded(key("k", KeyOwner::Service)),
        Change::PartnerCreated(twin),
        Change::ApiCreated(api("never")),
    ];
    let refusal = store.apply(&audited(batch)).await;

    assert!(matches!(refusal, Err(StoreError::Conflict(_))), "{refusal:?}");
    assert_eq!(store.head().await.unwrap(), 0);
    assert_eq!(store.audit_lines(0, 10).await.unwrap(), []);
    assert_eq!(store.partners(Page::LONGEST).await.unwrap(), []);
    assert_eq!((store.apis().await.unwrap(), store.keys().await.unwrap()), (vec![], vec![]));
}

async fn a_batch_counts_each_change(home: Home) {
    let store = home.open().await;
    let (owner, _, app, changes) = acme();

    assert_eq!(store.apply(&changes).await.unwrap(), 5);
    let more = Change::SecretAdded { client: app.id.clone(), secret: secret("second") };
    assert_eq!(store.apply(&audited([more])).await.unwrap(), 6);
    let second = client("second", &owner, &[]);
    assert_eq!(
        store.apply(&audited([Change::ClientCreated { client: second, secret: None }])).await.unwrap(),
        7
    );
    assert_eq!(store.apply(&[]).await.unwrap(), 7);
}
