//! This file is where it is tested what changes the ways of clients and APIs to prove who they are, and what APIs guard.

use gatepost_core::apis::ApiAccess;
use gatepost_core::apis::routes::Route;
use gatepost_core::change::{Change, Subject};
use gatepost_core::clients::{ClientId, ClientKey, KeyMaterial, StoredSecret};
use gatepost_core::scope::Scopes;
use gatepost_core::secret::SecretTag;
use gatepost_store::StoreError;

use crate::conflicts::refusals;
use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, api, at, audited, client, client_key, route, secret};

on_every_engine![
    a_client_record_brings_the_public_keys_by_age,
    a_client_with_keys_and_several_secrets_has_each_once,
    a_secret_is_only_ever_limited_to_an_earlier_end,
    a_retagged_secret_differs_in_nothing_but_its_tag,
    a_secret_that_has_ended_is_neither_limited_nor_retagged,
    each_api_has_its_own_secrets_and_routes,
    an_ended_secret_of_an_api_is_listed_but_does_not_count,
    a_route_takes_the_place_of_one_for_the_same_method_and_path,
    what_belongs_to_a_deleted_api_or_client_goes_with_it,
    what_is_taken_or_gone_is_refused_by_name,
    news_name_the_client_or_the_api,
];

async fn a_client_record_brings_the_public_keys_by_age(home: Home) {
    let store = home.open().await;
    let (owner, _, app, changes) = acme();
    let other = client("other", &owner, &[]);
    let address = KeyMaterial::JwksUri("https://acme.example/keys?a=1&b=\"ü\"".to_owned());
    let (young, old) = (client_key("a", 20), ClientKey { material: address, ..client_key("b", 10) });
    let theirs = client_key("theirs", 15);
    let added = |client: &ClientId, key: &ClientKey| Change::ClientKeyAdded {
        client: client.clone(),
        key: key.clone(),
    };
    store.apply(&changes).await.unwrap();
    let more = [
        added(&app.id, &young),
        added(&app.id, &old),
        Change::ClientCreated { client: other.clone(), secret: None },
        added(&other.id, &theirs),
    ];
    store.apply(&audited(more)).await.unwrap();

    assert_eq!(store.client_record(&app.id).await.unwrap().unwrap().keys, [old.clone(), young.clone()]);
    let record = store.client_record(&other.id).await.unwrap().unwrap();
    assert_eq!((record.keys, record.secrets), (vec![theirs], vec![]));

    store.apply(&audited([Change::ClientKeyRemoved { client: app.id.clone(), key: old.id }])).await.unwrap();
    assert_eq!(store.client_record(&app.id).await.unwrap().unwrap().keys, [young]);
}

async fn a_client_with_keys_and_several_secrets_has_each_once(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    let keys = ["k1", "k2", "k3"].map(|name| client_key(name, 10));
    let second = StoredSecret { created: at(5), ..secret("second") };
    store.apply(&changes).await.unwrap();
    let added = keys.clone().map(|key| Change::ClientKeyAdded { client: app.id.clone(), key });
    let more = Change::SecretAdded { client: app.id.clone(), secret: second.clone() };
    store.apply(&audited([more].into_iter().chain(added))).await.unwrap();

    let record = store.client_record(&app.id).await.unwrap().unwrap();
    assert_eq!((record.secrets, record.keys), (vec![secret("first"), second], keys.to_vec()));
}

async fn a_secret_is_only_ever_limited_to_an_earlier_end(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    let endless = StoredSecret { expires: None, created: at(5), ..secret("endless") };
    store.apply(&changes).await.unwrap();
    store
        .apply(&audited([Change::SecretAdded { client: app.id.clone(), secret: endless.clone() }]))
        .await
        .unwrap();
    let limited = |secret: &StoredSecret, end| Change::SecretLimited {
        client: app.id.clone(),
        secret: secret.id,
        expires: at(end),
    };
    let ends = async || {
        let secrets = store.secrets(&app.id).await.unwrap();
        secrets.into_iter().map(|secret| secret.expires).collect::<Vec<_>>()
    };
    assert_eq!(ends().await, [Some(at(8_000_000)), None]);

    store.apply(&audited([limited(&endless, 700), limited(&secret("first"), 700)])).await.unwrap();
    assert_eq!(ends().await, [Some(at(700)), Some(at(700))]);
    store.apply(&audited([limited(&endless, 700), limited(&endless, 600)])).await.unwrap();
    assert_eq!(ends().await, [Some(at(700)), Some(at(600))]);
    refusals(store.as_ref(), true, vec![(limited(&endless, 601), "changed by someone else".to_owned())])
        .await;
    assert_eq!(ends().await, [Some(at(700)), Some(at(600))]);
}

async fn a_retagged_secret_differs_in_nothing_but_its_tag(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    let other = StoredSecret { created: at(5), ..secret("other") };
    store.apply(&changes).await.unwrap();
    store
        .apply(&audited([Change::SecretAdded { client: app.id.clone(), secret: other.clone() }]))
        .await
        .unwrap();
    let tag = SecretTag { pepper: "p2".to_owned(), tag: vec![255, 0, 7] };
    let retagged =
        Change::SecretRetagged { client: app.id.clone(), secret: secret("first").id, tag: tag.clone() };
    store.apply(&audited([retagged])).await.unwrap();

    assert_eq!(store.secrets(&app.id).await.unwrap(), [StoredSecret { tag, ..secret("first") }, other]);
}

async fn a_secret_that_has_ended_is_neither_limited_nor_retagged(home: Home) {
    let store = home.open().await;
    let (_, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let (client, first) = (app.id.clone(), secret("first"));
    let end = Change::SecretEnded { client: client.clone(), secret: first.id, at: at(1) };
    store.apply(&audited([end])).await.unwrap();

    let words = || "changed by someone else".to_owned();
    let limited = Change::SecretLimited { client: client.clone(), secret: first.id, expires: at(2) };
    let retagged = Change::SecretRetagged { client, secret: first.id, tag: first.tag };
    refusals(store.as_ref(), true, vec![(limited, words()), (retagged, words())]).await;
}

async fn each_api_has_its_own_secrets_and_routes(home: Home) {
    let store = home.open().await;
    let [bare, full, open] = ["bare", "full", "open"].map(api);
    let secrets = [
        StoredSecret { label: None, expires: None, ..secret("s2") },
        StoredSecret { created: at(3), ..secret("s1") },
    ];
    let routes =
        [route("GET", "/b/{id}", "read write"), route("*", "/a/*", ""), route("DELETE", "/b/{id}", "write")];
    let created = [&open, &full, &bare].map(|api| Change::ApiCreated(api.clone()));
    let tags = secrets.clone().map(|secret| Change::ApiSecretAdded { api: full.id, secret });
    let lines = routes.clone().map(|route| Change::RouteAdded(full.id, route));
    let theirs = Change::RouteAdded(open.id, route("GET", "/", ""));
    store.apply(&audited(created.into_iter().chain(tags).chain(lines).chain([theirs]))).await.unwrap();

    let ([s2, s1], [get, any, delete]) = (secrets, routes);
    let expected = [
        ApiAccess { api: bare.id, secrets: vec![], routes: vec![] },
        ApiAccess { api: full.id, secrets: vec![s1.clone(), s2.clone()], routes: vec![any, delete, get] },
        ApiAccess { api: open.id, secrets: vec![], routes: vec![route("GET", "/", "")] },
    ];
    assert_eq!(store.api_access().await.unwrap(), expected);
    assert_eq!(store.api_secrets(full.id).await.unwrap(), [s1, s2]);
    assert_eq!(store.api_secrets(bare.id).await.unwrap(), []);
}

async fn an_ended_secret_of_an_api_is_listed_but_does_not_count(home: Home) {
    let store = home.open().await;
    let owner = api("bookings");
    let expired = StoredSecret { expires: Some(at(-1)), created: at(5), ..secret("expired") };
    let ended = secret("ended");
    let changes = [
        Change::ApiCreated(owner.clone()),
        Change::ApiSecretAdded { api: owner.id, secret: expired.clone() },
        Change::ApiSecretAdded { api: owner.id, secret: ended.clone() },
        Change::ApiSecretEnded { api: owner.id, secret: ended.id, at: at(40) },
    ];
    store.apply(&audited(changes)).await.unwrap();

    let ended = StoredSecret { ended: Some(at(40)), ..ended };
    assert_eq!(store.api_secrets(owner.id).await.unwrap(), [ended, expired.clone()]);
    assert_eq!(store.api_access().await.unwrap()[0].secrets, [expired]);
}

async fn a_route_takes_the_place_of_one_for_the_same_method_and_path(home: Home) {
    let store = home.open().await;
    let owner = api("bookings");
    let added = |method, scopes| Change::RouteAdded(owner.id, route(method, "/b", scopes));
    let changes = [
        Change::ApiCreated(owner.clone()),
        added("GET", "read"),
        added("PUT", "write"),
        added("GET", "read all"),
    ];
    store.apply(&audited(changes)).await.unwrap();
    let routes = async || store.api_access().await.unwrap().remove(0).routes;
    assert_eq!(routes().await, [route("GET", "/b", "read all"), route("PUT", "/b", "write")]);

    let gone = Change::RouteRemoved { api: owner.id, method: "GET".to_owned(), path: "/b".to_owned() };
    store.apply(&audited([gone.clone()])).await.unwrap();
    assert_eq!(routes().await, [Route { scopes: Scopes::parse("write").unwrap(), ..route("PUT", "/b", "") }]);
    refusals(store.as_ref(), false, vec![(gone, "no route GET /b".to_owned())]).await;
}

async fn what_belongs_to_a_deleted_api_or_client_goes_with_it(home: Home) {
    let store = home.open().await;
    let (_, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let belongings = || {
        [
            Change::ClientKeyAdded { client: app.id.clone(), key: client_key("k", 1) },
            Change::ApiSecretAdded { api: bookings.id, secret: secret("s") },
            Change::RouteAdded(bookings.id, route("GET", "/b", "read")),
        ]
    };
    store.apply(&audited(belongings())).await.unwrap();
    store
        .apply(&audited([Change::ClientDeleted(app.id.clone()), Change::ApiDeleted(bookings.id)]))
        .await
        .unwrap();
    assert_eq!(store.api_access().await.unwrap(), []);

    let again =
        [Change::ApiCreated(bookings.clone()), Change::ClientCreated { client: app.clone(), secret: None }];
    store.apply(&audited(again)).await.unwrap();
    assert_eq!(store.client_record(&app.id).await.unwrap().unwrap().keys, []);
    let bare = ApiAccess { api: bookings.id, secrets: vec![], routes: vec![] };
    assert_eq!(store.api_access().await.unwrap(), [bare]);
    store.apply(&audited(belongings())).await.unwrap();
}

async fn what_is_taken_or_gone_is_refused_by_name(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    let (other, nobody) = (api("other"), client("nobody", &owner, &[]).id);
    let (key, held) = (client_key("k", 1), secret("held"));
    store.apply(&changes).await.unwrap();
    let key_added = |client: &ClientId| Change::ClientKeyAdded { client: client.clone(), key: key.clone() };
    let secret_added = |api| Change::ApiSecretAdded { api, secret: held.clone() };
    let more = [Change::ApiCreated(other.clone()), key_added(&app.id), secret_added(bookings.id)];
    store.apply(&audited(more)).await.unwrap();
    let ended = |api| Change::ApiSecretEnded { api, secret: held.id, at: at(1) };
    let (key_id, secret_id) = (key.id.0.to_string(), held.id.0.to_string());

    let taken = vec![(key_added(&app.id), key_id.clone()), (secret_added(other.id), secret_id.clone())];
    refusals(store.as_ref(), true, taken).await;
    let missing = api("missing").id;
    let gone = vec![
        (
            Change::ClientKeyAdded { client: nobody.clone(), key: client_key("n", 1) },
            format!("client {nobody}"),
        ),
        (Change::ClientKeyRemoved { client: nobody.clone(), key: key.id }, key_id),
        (Change::ApiSecretAdded { api: missing, secret: secret("n") }, missing.0.to_string()),
        (ended(other.id), secret_id.clone()),
        (Change::RouteAdded(missing, route("GET", "/b", "")), missing.0.to_string()),
        (
            Change::SecretLimited { client: nobody, secret: secret("first").id, expires: at(1) },
            "secret".to_owned(),
        ),
    ];
    refusals(store.as_ref(), false, gone).await;

    store.apply(&audited([ended(bookings.id)])).await.unwrap();
    refusals(store.as_ref(), true, vec![(ended(bookings.id), secret_id)]).await;
}

async fn news_name_the_client_or_the_api(home: Home) {
    let store = home.open().await;
    let (_, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let before = store.head().await.unwrap();
    let client = app.id.clone();
    let changes = [
        Change::ClientKeyAdded { client: client.clone(), key: client_key("k", 1) },
        Change::SecretLimited { client, secret: secret("first").id, expires: at(1) },
        Change::ApiSecretAdded { api: bookings.id, secret: secret("s") },
        Change::RouteAdded(bookings.id, route("GET", "/b", "read")),
    ];
    store.apply(&audited(changes)).await.unwrap();

    let news = store.news(before, 10).await.unwrap();
    let subjects = news.into_iter().map(|news| news.subject.unwrap()).collect::<Vec<_>>();
    let (client, api) = (Subject::Client(app.id), Subject::Api(bookings.id));
    assert_eq!(subjects, [client.clone(), client, api.clone(), api]);
    let spoiled = "UPDATE routes SET path = '/b//c'";
    home.meddle(spoiled).await;
    let refusal = store.api_access().await;
    assert!(
        matches!(&refusal, Err(StoreError::Unreadable(text)) if text.contains("`routes`")),
        "{refusal:?}"
    );
}
