//! This file is where it is tested which changes are refused, and that the refusal says what stood in the way.

use gatepost_core::apis::{Api, ApiId};
use gatepost_core::change::{Basis, Change};
use gatepost_core::clients::{Client, ClientId};
use gatepost_core::keys::KeyOwner;
use gatepost_core::partners::{Partner, PartnerId, Status};
use gatepost_store::{Store, StoreError};
use uuid::Uuid;

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, api, at, audited, client, key, partner, scope, secret};

on_every_engine![
    what_is_taken_is_refused_by_name,
    what_is_in_use_is_not_deleted,
    what_is_gone_is_not_changed,
    what_is_referred_to_must_be_there,
    a_change_decided_on_an_older_version_is_refused,
    of_many_who_change_the_same_version_one_wins,
    what_was_decided_on_a_row_that_moved_on_is_refused,
    of_many_who_decide_on_one_version_one_wins,
];

/// The refusal's text, when it is the expected kind.
async fn refusal(store: &dyn Store, change: Change, conflict: bool) -> String {
    let said = format!("{change:?}");
    match store.apply(&audited([change])).await {
        Err(StoreError::Conflict(text)) if conflict => text,
        Err(StoreError::NotFound(text)) if !conflict => text,
        other => panic!("{said}: {other:?}"),
    }
}

/// Each change is refused with its words, as a conflict or as gone, and leaves nothing behind.
pub(crate) async fn refusals(store: &dyn Store, conflict: bool, cases: Vec<(Change, String)>) {
    let before = store.head().await.unwrap();
    for (change, words) in cases {
        let text = refusal(store, change.clone(), conflict).await;
        assert!(text.contains(&words), "{change:?}: {text}");
    }
    assert_eq!(store.head().await.unwrap(), before);
}

async fn what_is_taken_is_refused_by_name(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    let held = key("k1", KeyOwner::Api(bookings.id));
    let other = api("other");
    store.apply(&changes).await.unwrap();
    let adopted = Change::MasterKeyAdopted { pepper: "p1".into(), check: vec![1] };
    let more = [Change::ApiCreated(other.clone()), Change::KeyAdded(held), adopted.clone()];
    store.apply(&audited(more)).await.unwrap();

    let moved = |slug: &str| Partner { id: partner(slug).id, ..owner.clone() };
    let twin = Client { name: client("x", &owner, &[]).name, ..app.clone() };
    let twice = Client { apis: vec![other.id, other.id], ..client("twice", &owner, &[]) };
    let first = secret("first");
    let cases = vec![
        (Change::PartnerCreated(moved("new")), "partner name `acme` is taken".to_owned()),
        (
            Change::PartnerCreated(Partner { slug: partner("b").slug, ..owner.clone() }),
            owner.id.0.to_string(),
        ),
        (
            Change::ApiCreated(Api { name: bookings.name.clone(), ..api("n") }),
            "API name `bookings`".to_owned(),
        ),
        (Change::ApiCreated(Api { audience: bookings.audience.clone(), ..api("n") }), "audience".to_owned()),
        (
            Change::ApiUpdated(Api { audience: bookings.audience.clone(), ..other.clone() }),
            "audience".to_owned(),
        ),
        (Change::ApiCreated(Api { id: bookings.id, ..api("n") }), bookings.id.0.to_string()),
        (Change::ScopeCreated(bookings.id, scope("read")), "scope `read`".to_owned()),
        (Change::ClientCreated { client: twin, secret: None }, app.id.to_string()),
        (Change::ClientCreated { client: twice, secret: None }, "named twice".to_owned()),
        (Change::SecretAdded { client: app.id.clone(), secret: first.clone() }, first.id.0.to_string()),
        (Change::KeyAdded(key("k1", KeyOwner::Api(other.id))), "key `k1`".to_owned()),
        (Change::KeyAdded(key("k1", KeyOwner::Service)), "one API only".to_owned()),
        (adopted, "pepper `p1`".to_owned()),
    ];
    refusals(store.as_ref(), true, cases).await;
}

async fn what_is_in_use_is_not_deleted(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let end = Change::SecretEnded { client: app.id, secret: secret("first").id, at: at(1) };
    store.apply(&audited([end.clone()])).await.unwrap();

    let cases = vec![
        (Change::PartnerDeleted(owner.id), format!("{} still has clients", owner.id.0)),
        (Change::ApiDeleted(bookings.id), format!("{} still has clients", bookings.id.0)),
        (end, "changed by someone else".to_owned()),
    ];
    refusals(store.as_ref(), true, cases).await;
}

async fn what_is_gone_is_not_changed(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, _) = acme();
    let (first, here) = (secret("first"), scope("read"));

    let cases = vec![
        (Change::PartnerUpdated(owner.clone()), owner.id.0.to_string()),
        (Change::PartnerDeleted(owner.id), owner.id.0.to_string()),
        (Change::ApiUpdated(bookings.clone()), bookings.id.0.to_string()),
        (Change::ApiDeleted(bookings.id), bookings.id.0.to_string()),
        (Change::ScopeDeleted(bookings.id, here.name), "scope read".to_owned()),
        (Change::ClientUpdated(app.clone()), app.id.to_string()),
        (Change::ClientDeleted(app.id.clone()), app.id.to_string()),
        (Change::SecretEnded { client: app.id, secret: first.id, at: at(1) }, first.id.0.to_string()),
    ];
    refusals(store.as_ref(), false, cases).await;
}

async fn what_is_referred_to_must_be_there(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, _) = acme();
    store.apply(&audited([Change::PartnerCreated(owner)])).await.unwrap();
    let orphan = Client { partner_id: PartnerId(Uuid::max()), apis: vec![], ..app.clone() };

    let cases = vec![
        (Change::ClientCreated { client: orphan, secret: None }, format!("partner {}", Uuid::max())),
        (Change::ClientCreated { client: app.clone(), secret: None }, format!("API {}", bookings.id.0)),
        (Change::SecretAdded { client: app.id.clone(), secret: secret("s") }, format!("client {}", app.id)),
        (Change::ScopeCreated(bookings.id, scope("read")), format!("API {}", bookings.id.0)),
        (Change::KeyAdded(key("k", KeyOwner::Api(bookings.id))), format!("API {}", bookings.id.0)),
    ];
    refusals(store.as_ref(), false, cases).await;
}

async fn a_change_decided_on_an_older_version_is_refused(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let updates = || {
        [
            Change::PartnerUpdated(owner.clone()),
            Change::ApiUpdated(bookings.clone()),
            Change::ClientUpdated(app.clone()),
        ]
    };
    store.apply(&audited(updates())).await.unwrap();

    let cases = updates().map(|update| (update, "changed by someone else".to_owned()));
    refusals(store.as_ref(), true, cases.to_vec()).await;
}

async fn of_many_who_change_the_same_version_one_wins(home: Home) {
    let store = home.open().await;
    let (owner, _, _, changes) = acme();
    store.apply(&changes).await.unwrap();

    let racers = (0..16).map(|_| {
        let (store, suspended) = (store.clone(), Partner { status: Status::Suspended, ..owner.clone() });
        tokio::spawn(async move { store.apply(&audited([Change::PartnerUpdated(suspended)])).await })
    });
    let (mut won, mut lost) = (0, 0);
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(StoreError::Conflict(_)) => lost += 1,
            Err(other) => panic!("{other}"),
        }
    }

    assert_eq!((won, lost), (1, 15));
    assert_eq!(store.head().await.unwrap(), 6);
}

async fn what_was_decided_on_a_row_that_moved_on_is_refused(home: Home) {
    let store = home.open().await;
    let (_, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let added = |name: &str| {
        let (client, secret) = (app.id.clone(), secret(name));
        audited([Change::SecretAdded { client, secret }])
    };
    let api_added = |name: &str| audited([Change::ApiSecretAdded { api: bookings.id, secret: secret(name) }]);
    let client = |version| Basis::Client(app.id.clone(), version);
    let api = |version| Basis::Api(bookings.id, version);

    store.apply_on(Some(&client(1)), &added("second")).await.unwrap();
    store.apply_on(Some(&api(1)), &api_added("second")).await.unwrap();
    for (basis, changes) in [(client(1), added("third")), (api(1), api_added("third"))] {
        let refused = store.apply_on(Some(&basis), &changes).await;
        assert!(
            matches!(&refused, Err(StoreError::Conflict(text)) if text.contains("changed by someone else"))
        );
    }
    let gone = [Basis::Client(ClientId::from_uuid(Uuid::max()), 1), Basis::Api(ApiId(Uuid::max()), 1)];
    for basis in gone {
        let refused = store.apply_on(Some(&basis), &added("third")).await;
        assert!(matches!(&refused, Err(StoreError::NotFound(text)) if text.contains("there is no")));
    }

    assert_eq!(store.secrets(&app.id).await.unwrap().len(), 2);
    assert_eq!(store.api_secrets(bookings.id).await.unwrap().len(), 1);
    store.apply_on(Some(&client(2)), &added("third")).await.unwrap();
    store.apply_on(Some(&api(2)), &api_added("third")).await.unwrap();
}

async fn of_many_who_decide_on_one_version_one_wins(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();

    let racers = (0..16).map(|number| {
        let (store, client) = (store.clone(), app.id.clone());
        tokio::spawn(async move {
            let basis = Basis::Client(client.clone(), 1);
            let added = Change::SecretAdded { client, secret: secret(&format!("s{number}")) };
            store.apply_on(Some(&basis), &audited([added])).await
        })
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(StoreError::Conflict(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((won, store.secrets(&app.id).await.unwrap().len()), (1, 2));
}
