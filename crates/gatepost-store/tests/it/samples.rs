//! This file is where the tests get partners, APIs, clients, secrets and keys.

use gatepost_core::actor::Actor;
use gatepost_core::apis::routes::Route;
use gatepost_core::apis::{Api, ApiId, ApiScope, Audience};
use gatepost_core::change::{AuditedChange, Change};
use gatepost_core::clients::{
    Client, ClientId, ClientKey, ClientKeyId, KeyMaterial, Method, SecretId, StoredSecret, UngrantedScope,
    UserId,
};
use gatepost_core::grants::GrantType;
use gatepost_core::keys::rotation::Turns;
use gatepost_core::keys::{KeyOwner, KeyState, Sealed, StoredKey};
use gatepost_core::name::{Name, Slug};
use gatepost_core::partners::{Partner, PartnerId, Status};
use gatepost_core::scope::{Scope, Scopes};
use gatepost_core::secret::SecretTag;
use gatepost_core::time::{Lifetime, Timestamp};
use gatepost_core::tokens::profile::Profile;
use gatepost_jose::{Algorithm, Jwk};
use uuid::Uuid;

/// An id made of a word of up to 16 letters: the same word, the same id.
fn id(word: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..word.len()].copy_from_slice(word.as_bytes());
    Uuid::from_bytes(bytes)
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + micros)
}

pub(crate) fn partner(slug: &str) -> Partner {
    Partner {
        id: PartnerId(id(slug)),
        slug: Slug::parse(slug).unwrap(),
        name: Name::parse(&format!("{slug} & Söhne")).unwrap(),
        status: Status::Active,
        expires: None,
        created: at(1),
        version: 1,
    }
}

pub(crate) fn api(name: &str) -> Api {
    Api {
        id: ApiId(id(name)),
        name: Slug::parse(name).unwrap(),
        audience: Audience::parse(&format!("https://{name}.example.com")).unwrap(),
        profile: Profile::Rfc9068,
        algorithm: Algorithm::Es256,
        turns: Turns::ByDefault,
        created: at(2),
        version: 1,
    }
}

pub(crate) fn scope(name: &str) -> ApiScope {
    ApiScope { name: Scope::parse(name).unwrap(), description: format!("lets you {name}") }
}

/// A client with every member set to something that is not its default.
pub(crate) fn client(name: &str, partner: &Partner, apis: &[&Api]) -> Client {
    Client {
        id: ClientId::from_uuid(id(name)),
        partner_id: partner.id,
        user_id: UserId(id("user")),
        name: Name::parse(name).unwrap(),
        is_test: true,
        apis: apis.iter().map(|api| api.id).collect(),
        scopes: Scopes::parse("write read").unwrap(),
        default_scopes: Some(Scopes::parse("read").unwrap()),
        ungranted_scope: UngrantedScope::Dropped,
        lifetime: Lifetime::from_seconds(900).unwrap(),
        allow: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        auth_method: Some(Method::SecretPost),
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: Some(at(9_000_000)),
        created: at(3),
        version: 1,
    }
}

pub(crate) fn secret(name: &str) -> StoredSecret {
    StoredSecret {
        id: SecretId(id(name)),
        label: Some(Name::parse(name).unwrap()),
        tag: SecretTag { pepper: "p1".to_owned(), tag: vec![0, 1, 254, 255] },
        created: at(4),
        not_before: None,
        expires: Some(at(8_000_000)),
        ended: None,
    }
}

/// The public half of no key in particular.
pub(crate) fn jwk(kid: &str) -> Jwk {
    let json =
        format!(r#"{{"kty":"EC","crv":"P-256","x":"eA","y":"eQ","use":"sig","alg":"ES256","kid":"{kid}"}}"#);
    Jwk::parse(json.as_bytes()).unwrap()
}

pub(crate) fn client_key(name: &str, age: i64) -> ClientKey {
    ClientKey { id: ClientKeyId(id(name)), material: KeyMaterial::Jwk(jwk(name)), created: at(age) }
}

pub(crate) fn route(method: &str, path: &str, scopes: &str) -> Route {
    Route::parse(method, path, Scopes::parse(scopes).unwrap()).unwrap()
}

pub(crate) fn key(kid: &str, owner: KeyOwner) -> StoredKey {
    StoredKey {
        kid: kid.parse().unwrap(),
        owner,
        algorithm: Algorithm::Es256,
        state: KeyState::Signing,
        public: jwk(kid),
        sealed: Sealed { wrapping: "w1".to_owned(), bytes: vec![9, 8, 7, 0, 255] },
        created: at(5),
        signs_from: at(6),
        verifies_until: None,
    }
}

/// The changes with an actor and a time.
pub(crate) fn audited(changes: impl IntoIterator<Item = Change>) -> Vec<AuditedChange> {
    changes.into_iter().map(|change| change.by(Actor::CommandLine { user: "jo".to_owned() }, at(7))).collect()
}

/// A partner, an API with two scopes and a client of both with one secret.
pub(crate) fn acme() -> (Partner, Api, Client, Vec<AuditedChange>) {
    let (partner, api) = (partner("acme"), api("bookings"));
    let client = client("app", &partner, &[&api]);
    let changes = audited([
        Change::PartnerCreated(partner.clone()),
        Change::ApiCreated(api.clone()),
        Change::ScopeCreated(api.id, scope("write")),
        Change::ScopeCreated(api.id, scope("read")),
        Change::ClientCreated { client: client.clone(), secret: Some(secret("first")) },
    ]);
    (partner, api, client, changes)
}
