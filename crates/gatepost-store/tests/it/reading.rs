//! This file is where it is tested that what was written is read back, whole and in order.

use gatepost_core::apis::ApiWithScopes;
use gatepost_core::change::{Change, Subject};
use gatepost_core::clients::{Client, ClientId, ClientRecord, StoredSecret};
use gatepost_core::keys::rotation::Turns;
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey};
use gatepost_core::limits::ClientLimits;
use gatepost_core::partners::{Partner, PartnerId, Status};
use gatepost_core::scope::Scopes;
use gatepost_core::tokens::profile::{PassportOptions, Profile};
use gatepost_jose::Algorithm;
use gatepost_store::{Counts, News, Page};

use crate::engines::{Home, on_every_engine};
use crate::samples::{acme, api, at, audited, client, key, partner, scope, secret};

on_every_engine![
    an_empty_store_has_nothing_in_it,
    partners_come_back_whole_by_id_by_slug_and_in_order_of_slugs,
    apis_come_back_with_their_scopes_in_order_of_names,
    clients_come_back_whole_with_their_apis_in_order,
    a_client_with_nothing_but_the_required_comes_back_as_it_was,
    clients_are_listed_by_age_of_one_partner_or_of_all,
    a_page_is_the_asked_part_of_the_list,
    a_client_record_has_the_partners_status_and_the_secrets_that_have_not_ended,
    keys_come_back_sealed_as_they_were_by_age,
    the_last_adopted_master_key_is_the_one_to_check,
    news_name_what_changed_in_order_and_in_portions,
    the_engine_says_its_name_and_a_sign_of_life,
    state_outlives_the_process_that_wrote_it,
];

async fn an_empty_store_has_nothing_in_it(home: Home) {
    let store = home.open().await;

    assert_eq!(store.head().await.unwrap(), 0);
    assert_eq!(store.partners(Page::LONGEST).await.unwrap(), []);
    assert_eq!(store.apis().await.unwrap(), []);
    assert_eq!(store.clients(None, Page::LONGEST).await.unwrap(), []);
    assert_eq!(store.keys().await.unwrap(), []);
    assert_eq!(store.master_key_check().await.unwrap(), None);
    assert_eq!(store.audit_lines(0, 10).await.unwrap(), []);
    assert_eq!(store.client_record(&ClientId::parse("nobody").unwrap()).await.unwrap(), None);
    assert_eq!(store.apply(&[]).await.unwrap(), 0);
    assert_eq!(store.counts().await.unwrap(), Counts { partners: 0, clients: 0 });
}

async fn partners_come_back_whole_by_id_by_slug_and_in_order_of_slugs(home: Home) {
    let store = home.open().await;
    let written = ["ab", "a-c", "aa", "a1"].map(partner);
    store.apply(&audited(written.clone().map(Change::PartnerCreated))).await.unwrap();

    let [ab, a_c, aa, a1] = written;
    assert_eq!(store.partner(ab.id).await.unwrap().as_ref(), Some(&ab));
    assert_eq!(store.partner_by_slug(&aa.slug).await.unwrap().as_ref(), Some(&aa));
    assert_eq!(store.partner(PartnerId(uuid::Uuid::nil())).await.unwrap(), None);
    assert_eq!(store.partners(Page::LONGEST).await.unwrap(), [a_c, a1, aa, ab]);
}

async fn apis_come_back_with_their_scopes_in_order_of_names(home: Home) {
    let store = home.open().await;
    let (passport, standard) = (api("z-old"), api("new"));
    let passport = gatepost_core::apis::Api {
        profile: Profile::Passport(PassportOptions::default()),
        algorithm: Algorithm::Rs256,
        turns: Turns::Never,
        ..passport
    };
    let changes = [
        Change::ApiCreated(passport.clone()),
        Change::ApiCreated(standard.clone()),
        Change::ScopeCreated(passport.id, scope("read")),
        // By bytes, capitals come first; people sort them among the others.
        Change::ScopeCreated(passport.id, scope("Write:all")),
        Change::ScopeCreated(standard.id, scope("read")),
    ];
    store.apply(&audited(changes)).await.unwrap();

    let expected = [
        ApiWithScopes { api: standard, scopes: vec![scope("read")] },
        ApiWithScopes { api: passport, scopes: vec![scope("Write:all"), scope("read")] },
    ];
    assert_eq!(store.apis().await.unwrap(), expected);
}

async fn clients_come_back_whole_with_their_apis_in_order(home: Home) {
    let store = home.open().await;
    let (owner, apis) = (partner("acme"), ["zeta", "alpha", "mid"].map(api));
    let written = client("app", &owner, &[&apis[0], &apis[1], &apis[2]]);
    let changes = apis.clone().map(Change::ApiCreated).into_iter();
    let changes = changes.chain([Change::PartnerCreated(owner)]);
    let changes = changes.chain([Change::ClientCreated { client: written.clone(), secret: None }]);
    store.apply(&audited(changes)).await.unwrap();

    let record = store.client_record(&written.id).await.unwrap().unwrap();
    assert_eq!(
        record,
        ClientRecord {
            client: written.clone(),
            partner_status: Status::Active,
            partner_expires: None,
            secrets: vec![],
            keys: vec![],
            limits: ClientLimits::default()
        }
    );
    assert_eq!(store.clients(None, Page::LONGEST).await.unwrap(), [written]);
}

async fn a_client_with_nothing_but_the_required_comes_back_as_it_was(home: Home) {
    let store = home.open().await;
    let (owner, home_api) = (partner("acme"), api("a"));
    let bare = Client {
        id: ClientId::parse("7").unwrap(),
        is_test: false,
        scopes: Scopes::NONE,
        default_scopes: None,
        allow: vec![],
        auth_method: None,
        expires: None,
        ..client("app", &owner, &[])
    };
    let plain = StoredSecret { label: None, expires: None, ..secret("plain") };
    let changes = [
        Change::PartnerCreated(owner),
        Change::ApiCreated(home_api),
        Change::ClientCreated { client: bare.clone(), secret: Some(plain.clone()) },
    ];
    store.apply(&audited(changes)).await.unwrap();

    let record = store.client_record(&bare.id).await.unwrap().unwrap();
    let secrets = vec![plain];
    assert_eq!(
        record,
        ClientRecord {
            client: bare,
            partner_status: Status::Active,
            partner_expires: None,
            secrets,
            keys: vec![],
            limits: ClientLimits::default()
        }
    );
}

async fn clients_are_listed_by_age_of_one_partner_or_of_all(home: Home) {
    let store = home.open().await;
    let (acme, zeta) = (partner("acme"), partner("zeta"));
    let aged = |name: &str, owner: &Partner, age| Client { created: at(age), ..client(name, owner, &[]) };
    let (young, old, other) = (aged("a", &acme, 30), aged("b", &acme, 10), aged("c", &zeta, 20));
    let created =
        [&young, &old, &other].map(|client| Change::ClientCreated { client: client.clone(), secret: None });
    let owners = [&acme, &zeta].map(|owner| Change::PartnerCreated(owner.clone()));
    store.apply(&audited(owners.into_iter().chain(created))).await.unwrap();

    assert_eq!(store.clients(Some(acme.id), Page::LONGEST).await.unwrap(), [old.clone(), young.clone()]);
    assert_eq!(store.clients(None, Page::LONGEST).await.unwrap(), [old, other, young]);
    assert_eq!(store.counts().await.unwrap(), Counts { partners: 2, clients: 3 });
}

async fn a_page_is_the_asked_part_of_the_list(home: Home) {
    let store = home.open().await;
    let owners = ["a", "b", "c", "d", "e"].map(partner);
    let clients = ["v", "w", "x"].map(|name| client(name, &owners[0], &[]));
    let created = clients.clone().map(|client| Change::ClientCreated { client, secret: None });
    store.apply(&audited(owners.map(Change::PartnerCreated).into_iter().chain(created))).await.unwrap();

    let slugs = async |offset, limit| {
        let page = store.partners(Page { offset, limit }).await.unwrap();
        page.iter().map(|partner| partner.slug.as_str().to_owned()).collect::<String>()
    };
    assert_eq!(
        [slugs(0, 2).await, slugs(2, 2).await, slugs(4, 2).await, slugs(9, 2).await],
        ["ab", "cd", "e", ""]
    );
    assert_eq!(store.clients(None, Page { offset: 1, limit: 1 }).await.unwrap(), clients[1..2]);
    assert_eq!(store.clients(Some(partner("b").id), Page::LONGEST).await.unwrap(), []);
}

async fn a_client_record_has_the_partners_status_and_the_secrets_that_have_not_ended(home: Home) {
    let store = home.open().await;
    let (owner, _, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    let expired = StoredSecret { expires: Some(at(-5)), created: at(2), ..secret("expired") };
    let ended = secret("ended");
    let changes = [
        Change::SecretAdded { client: app.id.clone(), secret: ended.clone() },
        Change::SecretAdded { client: app.id.clone(), secret: expired.clone() },
        Change::SecretEnded { client: app.id.clone(), secret: ended.id, at: at(40) },
        Change::PartnerUpdated(Partner { status: Status::Suspended, ..owner }),
    ];
    store.apply(&audited(changes)).await.unwrap();

    let record = store.client_record(&app.id).await.unwrap().unwrap();
    assert_eq!(record.partner_status, Status::Suspended);
    assert_eq!(record.secrets, [expired.clone(), secret("first")]);
    let ended = StoredSecret { ended: Some(at(40)), ..ended };
    assert_eq!(store.secrets(&app.id).await.unwrap(), [expired, ended, secret("first")]);
}

async fn keys_come_back_sealed_as_they_were_by_age(home: Home) {
    let store = home.open().await;
    let owner = api("bookings");
    let older = StoredKey { created: at(1), state: KeyState::Published, ..key("older", KeyOwner::Service) };
    let newer = key("newer", KeyOwner::Api(owner.id));
    let changes =
        [Change::ApiCreated(owner), Change::KeyAdded(newer.clone()), Change::KeyAdded(older.clone())];
    store.apply(&audited(changes)).await.unwrap();

    assert_eq!(store.keys().await.unwrap(), [older, newer]);
}

async fn the_last_adopted_master_key_is_the_one_to_check(home: Home) {
    let store = home.open().await;
    let adopted =
        |pepper: &str, check: u8| Change::MasterKeyAdopted { pepper: pepper.into(), check: vec![check; 32] };
    store.apply(&audited([adopted("p9", 1), adopted("p1", 2)])).await.unwrap();

    assert_eq!(store.master_key_check().await.unwrap(), Some(("p1".to_owned(), vec![2; 32])));
}

async fn news_name_what_changed_in_order_and_in_portions(home: Home) {
    let store = home.open().await;
    let (owner, bookings, app, changes) = acme();
    store.apply(&changes).await.unwrap();
    store.apply(&audited([Change::KeyAdded(key("k", KeyOwner::Service))])).await.unwrap();

    let subjects = [
        Subject::Partner(owner.id),
        Subject::Api(bookings.id),
        Subject::Api(bookings.id),
        Subject::Api(bookings.id),
        Subject::Client(app.id),
        Subject::Server,
    ];
    let all =
        (1..).zip(subjects).map(|(seq, subject)| News { seq, subject: Some(subject) }).collect::<Vec<_>>();
    assert_eq!(store.head().await.unwrap(), 6);
    assert_eq!(store.news(0, 100).await.unwrap(), all);
    assert_eq!(store.news(2, 3).await.unwrap(), all[2..5]);
    assert_eq!(store.news(6, 3).await.unwrap(), []);
}

async fn the_engine_says_its_name_and_a_sign_of_life(home: Home) {
    let store = home.open().await;

    let engine = store.engine().await.unwrap();
    assert!(engine.starts_with("SQLite 3.") || engine.starts_with("PostgreSQL 1"), "{engine}");
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(gatepost_store::StoreError::Unavailable(_))));
}

async fn state_outlives_the_process_that_wrote_it(home: Home) {
    let (owner, _, app, changes) = acme();
    let store = home.open().await;
    store.apply(&changes).await.unwrap();
    store.close().await;
    drop(store);

    let store = home.open().await;
    assert_eq!(store.partner(owner.id).await.unwrap(), Some(owner));
    assert_eq!(store.client_record(&app.id).await.unwrap().map(|record| record.client), Some(app));
    assert_eq!(store.head().await.unwrap(), 5);
}
