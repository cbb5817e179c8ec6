//! This file is where it is tested that a store of an earlier schema is brought up to date and keeps what is in it.

use std::borrow::Cow;

use gatepost_core::audit::{AuditLine, FIRST};
use gatepost_core::change::{AuditedChange, Change};
use gatepost_core::clients::{ClientRecord, StoredSecret};
use gatepost_core::keys::{KeyOwner, KeyState, StoredKey};
use gatepost_core::limits::ClientLimits;
use gatepost_core::partners::{Partner, Status};
use gatepost_store::{Location, Page};
use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::chain::whole_chain;
use crate::engines::{Home, on_every_engine, raw_postgres, raw_sqlite};
use crate::samples::{acme, api, audited, client_key, key, route, scope, secret};

on_every_engine![
    a_store_of_the_first_schema_keeps_every_row,
    a_store_of_the_first_schema_takes_what_came_later,
    openers_of_an_old_store_at_once_all_get_it,
    an_upgraded_store_is_a_new_one,
];

const SQLITE: &str = include_str!("../../src/migrations/sqlite/0001_first.sql");
const POSTGRES: &str = include_str!("../../src/migrations/postgres/0001_first.sql");

/// What stands in every table of the first schema: written out, since no code of today writes it so any more.
const ROWS: &str = r#"
INSERT INTO partners (id, slug, name, status, created, version)
    VALUES ('61636d65-0000-0000-0000-000000000000', 'acme', 'acme & Söhne', 'suspended', 1795000000000001, 4);
INSERT INTO apis (id, name, audience, profile, algorithm, created, version)
    VALUES ('626f6f6b-696e-6773-0000-000000000000', 'bookings', 'https://bookings.example.com', '{"profile":"rfc9068"}', 'ES256',
        1795000000000002, 1);
INSERT INTO scopes (api_id, name, description) VALUES
    ('626f6f6b-696e-6773-0000-000000000000', 'read', 'lets you read'),
    ('626f6f6b-696e-6773-0000-000000000000', 'write', 'lets you write');
INSERT INTO clients (id, partner_id, user_id, name, is_test, scopes, default_scopes, ungranted_scope, lifetime, allow,
        auth_method, grant_types, status, expires, created, version)
    VALUES ('61707000-0000-0000-0000-000000000000', '61636d65-0000-0000-0000-000000000000',
        '75736572-0000-0000-0000-000000000000', 'app', TRUE, '["write","read"]', '["read"]', 'dropped', 900,
        '["192.0.2.0/24","2001:db8::/32"]', 'client_secret_post', '["client_credentials"]', 'active',
        1795000009000000, 1795000000000003, 1);
INSERT INTO client_apis (client_id, position, api_id)
    VALUES ('61707000-0000-0000-0000-000000000000', 0, '626f6f6b-696e-6773-0000-000000000000');
INSERT INTO secrets (id, client_id, label, pepper, tag, created, expires, ended) VALUES
    ('66697273-7400-0000-0000-000000000000', '61707000-0000-0000-0000-000000000000', 'first', 'p1', BYTES:0001feff,
        1795000000000004, 1795000008000000, NULL),
    ('6c617374-0000-0000-0000-000000000000', '61707000-0000-0000-0000-000000000000', NULL, 'p1', BYTES:0001feff,
        1795000000000004, NULL, 1795000000000009);
INSERT INTO keys (kid, api_id, algorithm, state, public, wrapping, sealed, created, signs_from) VALUES
    ('k1', '626f6f6b-696e-6773-0000-000000000000', 'ES256', 'signing',
        '{"kty":"EC","crv":"P-256","x":"eA","y":"eQ","use":"sig","alg":"ES256","kid":"k1"}', 'w1', BYTES:09080700ff,
        1795000000000005, 1795000000000006),
    ('k2', NULL, 'ES256', 'signing',
        '{"kty":"EC","crv":"P-256","x":"eA","y":"eQ","use":"sig","alg":"ES256","kid":"k2"}', 'w1', BYTES:09080700ff,
        1795000000000005, 1795000000000006);
INSERT INTO master_keys (pepper, tag, adopted) VALUES ('p1', BYTES:0102, 1);
"#;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A statement for each line of the trail of `changes`.
fn trail(changes: &[AuditedChange]) -> String {
    let mut previous = FIRST;
    let mut written = String::new();
    for (seq, audited) in (1..).zip(changes) {
        let line = AuditLine::chain(seq, previous, audited);
        let texts = [&line.actor, &line.action, &line.noun, &line.id, &line.details];
        let texts = texts.map(|text| format!("'{}'", text.replace('\'', "''"))).join(", ");
        let (at, hashes) = (line.at, format!("BYTES:{}, BYTES:{}", hex(&line.previous), hex(&line.hash)));
        written += &format!("INSERT INTO audit VALUES ({seq}, {at}, {texts}, {hashes});\n");
        previous = line.hash;
    }
    written
}

/// The first step alone, as the version that knew no other ran it.
async fn run_first_step(connection: &mut impl Migrate, statements: &'static str) {
    let step =
        Migration::new(1, Cow::Borrowed("first"), MigrationType::Simple, statements.into_sql_str(), false);
    let mut migrator = Migrator::with_migrations(vec![step]);
    migrator.dangerous_set_table_name("gatepost_migrations");
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.unwrap();
}

/// A store that the first version left, with something in every table.
async fn leave_first_schema(home: &Home) {
    let statements = format!("{ROWS}{}", trail(&acme().3));
    let in_terms = |start: &str| {
        let parts = statements.split("BYTES:").map(|part| {
            let end = part.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(part.len());
            (&part[..end], &part[end..])
        });
        let mut parts = parts.enumerate();
        let (_, (before, rest)) = parts.next().unwrap();
        let bytes = parts.map(|(_, (bytes, rest))| format!("{start}{bytes}'{rest}")).collect::<String>();
        AssertSqlSafe(format!("{before}{rest}{bytes}"))
    };
    match &home.location {
        Location::Sqlite(file) => {
            let mut connection = raw_sqlite(file).await;
            run_first_step(&mut connection, SQLITE).await;
            sqlx::raw_sql(in_terms("x'")).execute(&mut connection).await.unwrap();
            sqlx::Connection::close(connection).await.unwrap();
        }
        Location::Postgres(address) => {
            let mut connection = raw_postgres(&address.0).await;
            run_first_step(&mut connection, POSTGRES).await;
            sqlx::raw_sql(in_terms("'\\x")).execute(&mut connection).await.unwrap();
            sqlx::Connection::close(connection).await.unwrap();
        }
    }
}

async fn a_store_of_the_first_schema_keeps_every_row(home: Home) {
    leave_first_schema(&home).await;
    let (owner, bookings, app, changes) = acme();
    let owner = Partner { status: Status::Suspended, version: 4, ..owner };
    let ended =
        StoredSecret { label: None, expires: None, ended: Some(crate::samples::at(9)), ..secret("last") };
    let store = home.open().await;

    assert_eq!(store.partners(Page::LONGEST).await.unwrap(), [owner]);
    let apis = store.apis().await.unwrap();
    assert_eq!(
        (apis.len(), &apis[0].api, &apis[0].scopes),
        (1, &bookings, &vec![scope("read"), scope("write")])
    );
    let record = store.client_record(&app.id).await.unwrap().unwrap();
    let (client, secrets) = (app.clone(), vec![secret("first")]);
    let expected = ClientRecord {
        client,
        partner_status: Status::Suspended,
        partner_expires: None,
        secrets,
        keys: vec![],
        limits: ClientLimits::default(),
    };
    assert_eq!(record, expected);
    assert_eq!(store.secrets(&app.id).await.unwrap(), [secret("first"), ended]);
    let keys = [key("k1", KeyOwner::Api(bookings.id)), key("k2", KeyOwner::Service)];
    assert_eq!(store.keys().await.unwrap(), keys);
    assert_eq!(store.master_key_check().await.unwrap(), Some(("p1".to_owned(), vec![1, 2])));
    assert_eq!(whole_chain(store.as_ref()).await.len(), changes.len());
}

async fn a_store_of_the_first_schema_takes_what_came_later(home: Home) {
    leave_first_schema(&home).await;
    let (_, bookings, app, changes) = acme();
    let store = home.open().await;
    let held = key("k1", KeyOwner::Api(bookings.id));
    let (kid, owner, until) = (held.kid.clone(), held.owner, Some(crate::samples::at(99)));
    let (from, to) = (KeyState::Signing, KeyState::Verifying);
    let later = [
        Change::KeyMoved { kid, owner, from, to, verifies_until: until },
        Change::ClientKeyAdded { client: app.id.clone(), key: client_key("k", 1) },
        Change::ApiSecretAdded { api: bookings.id, secret: secret("s") },
        Change::RouteAdded(bookings.id, route("GET", "/b", "read")),
    ];
    store.apply(&audited(later)).await.unwrap();

    assert_eq!(store.keys().await.unwrap()[0], StoredKey { state: to, verifies_until: until, ..held });
    assert_eq!(store.client_record(&app.id).await.unwrap().unwrap().keys, [client_key("k", 1)]);
    let access = store.api_access().await.unwrap().remove(0);
    assert_eq!((access.secrets, access.routes), (vec![secret("s")], vec![route("GET", "/b", "read")]));
    assert!(store.remember_once(&app.id, "x", crate::samples::at(1)).await.unwrap());
    assert_eq!(whole_chain(store.as_ref()).await.len(), changes.len() + 4);
}

async fn openers_of_an_old_store_at_once_all_get_it(home: Home) {
    leave_first_schema(&home).await;
    let openers = (0..8).map(|_| {
        let location = home.location.clone();
        tokio::spawn(async move { gatepost_store::open(&location, 2).await.unwrap() })
    });
    for (number, opener) in openers.collect::<Vec<_>>().into_iter().enumerate() {
        let store = opener.await.unwrap();
        store.apply(&audited([Change::ApiCreated(api(&format!("a{number}")))])).await.unwrap();
    }

    assert_eq!(home.open().await.api_access().await.unwrap().len(), 9);
}

async fn an_upgraded_store_is_a_new_one(home: Home) {
    leave_first_schema(&home).await;
    home.open().await.close().await;
    let new = match &home.location {
        Location::Sqlite(_) => Home::sqlite(),
        Location::Postgres(_) => Home::postgres().await,
    };
    new.open().await.close().await;

    assert_eq!(schema(&home).await, schema(&new).await);
}

/// Everything that the schema consists of, as the engine tells it.
async fn schema(home: &Home) -> Vec<String> {
    let found: Vec<(String,)> = match &home.location {
        Location::Sqlite(file) => {
            let query = "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name";
            sqlx::query_as(query).fetch_all(&mut raw_sqlite(file).await).await.unwrap()
        }
        Location::Postgres(address) => {
            let query = "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable
                    FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
            sqlx::query_as(query).fetch_all(&mut raw_postgres(&address.0).await).await.unwrap()
        }
    };
    assert!(found.len() > 16);
    found.into_iter().map(|(line,)| line).collect()
}
