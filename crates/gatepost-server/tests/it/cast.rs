//! This file is where the clients of the tests are: what imports and operators have made of them, by name.

use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId, Method, SecretId, StoredSecret, UngrantedScope, UserId};
use gatepost_core::grants::GrantType;
use gatepost_core::name::{Name, Slug};
use gatepost_core::partners::{Partner, PartnerId, Status};
use gatepost_core::scope::Scopes;
use gatepost_core::secret::{Secret, SecretKind};
use gatepost_core::time::{Lifetime, Timestamp};
use gatepost_operations::gate::Gate;
use uuid::Uuid;

use crate::harness::{START, api};

/// The client of the origin page, imported with its secret.
pub(crate) const C: &str = "9b1e82a7-0a59-4e7e-add5-b9ffa37aade1";
/// The secret that the recorded exchanges present: 40 characters of no form of ours.
pub(crate) const S: &str = "s3cret-s3cret-s3cret-s3cret-s3cret-s3cre";
/// Whose client C is.
pub(crate) const PARTNER: &str = "f31120ee-b5cb-41c4-9529-288d02e91cd6";
/// The service user of C.
pub(crate) const USER: &str = "842902db-54e5-4614-b348-002e8ce5da12";

/// A client made here, whose secret has our form; granted `read` and `write`, two APIs.
pub(crate) const OURS: &str = "0c6f7a52-4b1e-4f0a-9c0e-1f2d3c4b5a60";
/// As Passport keeps clients: no scopes column, `*` allowed, no default scope.
pub(crate) const RECORDED: &str = "5d0f4f0e-1111-4f6e-8a51-b3a4b5c6d7e8";
/// Imported with an id that is a plain integer.
pub(crate) const INTEGER: &str = "17";
/// Suspended.
pub(crate) const SUSPENDED: &str = "00000000-0000-4000-8000-000000000001";
/// Without a secret.
pub(crate) const PUBLIC: &str = "00000000-0000-4000-8000-000000000002";
/// Of a suspended partner.
pub(crate) const ORPHANED: &str = "00000000-0000-4000-8000-000000000003";
/// Deleted.
pub(crate) const DELETED: &str = "00000000-0000-4000-8000-000000000004";
/// May not use the grant.
pub(crate) const NO_GRANT: &str = "00000000-0000-4000-8000-000000000005";
/// Pinned to Basic.
pub(crate) const BASIC_ONLY: &str = "00000000-0000-4000-8000-000000000006";
/// Imported with a scopes column, so that scopes it lacks are dropped.
pub(crate) const DROPPING: &str = "00000000-0000-4000-8000-000000000007";
/// Its secret was ended.
pub(crate) const ENDED: &str = "00000000-0000-4000-8000-000000000008";
/// Its secret expires a minute after the start.
pub(crate) const EXPIRING_SECRET: &str = "00000000-0000-4000-8000-000000000009";
/// Its secret is accepted from an hour after the start on.
pub(crate) const PENDING_SECRET: &str = "00000000-0000-4000-8000-0000000000f1";
/// Its partner expires a minute after the start.
pub(crate) const LEAVING: &str = "00000000-0000-4000-8000-0000000000f2";
/// The partner that expires.
const EXPIRING_PARTNER: &str = "00000000-0000-4000-8000-0000000000f3";
/// It expires a minute after the start.
pub(crate) const EXPIRING: &str = "00000000-0000-4000-8000-00000000000a";
/// Held to 198.51.100.0/24.
pub(crate) const HELD: &str = "00000000-0000-4000-8000-00000000000b";
/// Its secret needs encoding, see [`AWKWARD_SECRET`].
pub(crate) const AWKWARD: &str = "00000000-0000-4000-8000-00000000000c";
/// A secret of everything that form-encoding changes.
pub(crate) const AWKWARD_SECRET: &str = "p\u{e4}ss:w rd%41+x/\u{20ac}";
/// Its scopes belong to two APIs: `bookings:create` to its default, `fast:go` to the second.
pub(crate) const SPLIT: &str = "00000000-0000-4000-8000-00000000000d";
/// Has no default scope.
pub(crate) const PLAIN: &str = "00000000-0000-4000-8000-00000000000e";

/// Which API has which scopes.
pub(crate) const SCOPES: [(&str, &str); 12] = [
    ("default", "bookings:create"),
    ("default", "bookings:delete"),
    ("default", "read"),
    ("default", "write"),
    ("default", "admin"),
    ("default", "*"),
    ("bookings", "bookings:create"),
    ("bookings", "bookings:delete"),
    ("bookings", "read"),
    ("bookings", "write"),
    ("bookings", "admin"),
    ("fast", "fast:go"),
];

/// The secret of [`OURS`].
pub(crate) fn our_secret() -> String {
    Secret::generate(SecretKind::Live, 0..=255).unwrap().expose().to_owned()
}

/// Everyone, as one set of changes.
pub(crate) fn everyone(gate: &Gate) -> Vec<Change> {
    let at = Timestamp::from_micros(START - 1_000_000);
    let mut changes = vec![
        Change::PartnerCreated(partner(PARTNER, "acme", at)),
        Change::PartnerCreated(Partner { status: Status::Suspended, ..partner(USER, "gone", at) }),
        Change::PartnerCreated(Partner {
            expires: Some(minute()),
            ..partner(EXPIRING_PARTNER, "leaving", at)
        }),
    ];
    let mut add = |id: &str, secret: &str, change: &dyn Fn(&mut Client)| {
        let mut client = client(gate, id);
        change(&mut client);
        let secret = (!secret.is_empty()).then(|| stored(gate, secret, id, at));
        changes.push(Change::ClientCreated { client, secret });
    };
    add(C, S, &|_| {});
    standing(gate, &mut add);
    scoped(&mut add);
    let stopped = StoredSecret { expires: Some(minute()), ..stored(gate, S, EXPIRING_SECRET, at) };
    let hour = minute().after(std::time::Duration::from_secs(3_540));
    let pending = StoredSecret { not_before: Some(hour), ..stored(gate, S, PENDING_SECRET, at) };
    changes.extend([
        Change::ClientCreated { client: client(gate, EXPIRING_SECRET), secret: Some(stopped) },
        Change::ClientCreated { client: client(gate, PENDING_SECRET), secret: Some(pending) },
        Change::ClientDeleted(ClientId::parse(DELETED).unwrap()),
        Change::SecretEnded { client: ClientId::parse(ENDED).unwrap(), secret: secret_id(ENDED), at },
    ]);
    changes
}

type Add<'a> = dyn FnMut(&str, &str, &dyn Fn(&mut Client)) + 'a;

/// Those that differ in who they are and whether they may.
fn standing(gate: &Gate, add: &mut Add<'_>) {
    add(OURS, &our_secret(), &|client| {
        client.scopes = Scopes::parse("read write").unwrap();
        client.apis = vec![api(gate, "default"), api(gate, "bookings")];
    });
    add(INTEGER, S, &|_| {});
    add(SUSPENDED, S, &|client| client.status = Status::Suspended);
    add(PUBLIC, "", &|_| {});
    add(ORPHANED, S, &|client| client.partner_id = PartnerId(uuid(USER)));
    add(LEAVING, S, &|client| client.partner_id = PartnerId(uuid(EXPIRING_PARTNER)));
    add(DELETED, S, &|_| {});
    add(NO_GRANT, S, &|client| client.grant_types.clear());
    add(BASIC_ONLY, S, &|client| client.auth_method = Some(Method::SecretBasic));
    add(ENDED, S, &|_| {});
    add(EXPIRING, S, &|client| client.expires = Some(minute()));
    add(HELD, S, &|client| client.allow = vec!["198.51.100.0/24".parse().unwrap()]);
    add(AWKWARD, AWKWARD_SECRET, &|_| {});
}

/// Those that differ in their scopes.
fn scoped(add: &mut Add<'_>) {
    add(RECORDED, S, &|client| {
        client.scopes = Scopes::parse("bookings:create bookings:delete *").unwrap();
        client.default_scopes = Some(Scopes::NONE);
    });
    add(DROPPING, S, &|client| client.ungranted_scope = UngrantedScope::Dropped);
    add(SPLIT, S, &|client| client.scopes = Scopes::parse("bookings:create fast:go").unwrap());
    add(PLAIN, S, &|client| client.default_scopes = Some(Scopes::NONE));
}

fn partner(id: &str, slug: &str, created: Timestamp) -> Partner {
    let (slug, name) = (Slug::parse(slug).unwrap(), Name::parse(slug).unwrap());
    Partner {
        id: PartnerId(uuid(id)),
        slug,
        name,
        status: Status::Active,
        expires: None,
        created,
        version: 1,
    }
}

/// A client of the origin page's kind: both booking scopes, three APIs, the passport one first.
fn client(gate: &Gate, id: &str) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        partner_id: PartnerId(uuid(PARTNER)),
        user_id: UserId(uuid(USER)),
        name: Name::parse("a client").unwrap(),
        is_test: false,
        apis: ["default", "bookings", "fast"].map(|name| api(gate, name)).to_vec(),
        scopes: Scopes::parse("bookings:create bookings:delete").unwrap(),
        default_scopes: None,
        ungranted_scope: UngrantedScope::Refused,
        lifetime: Lifetime::HOUR,
        allow: Vec::new(),
        auth_method: None,
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: None,
        created: Timestamp::from_micros(START - 1_000_000),
        version: 1,
    }
}

/// The stored form of a secret; its id is made of the client's.
pub(crate) fn stored(gate: &Gate, secret: &str, client: &str, created: Timestamp) -> StoredSecret {
    let tag = gate.master_key().peppers.tag(&Secret::new(secret.to_owned()));
    StoredSecret {
        id: secret_id(client),
        label: None,
        tag,
        created,
        not_before: None,
        expires: None,
        ended: None,
    }
}

fn secret_id(client: &str) -> SecretId {
    SecretId(Uuid::parse_str(client).unwrap_or(Uuid::from_u128(17)))
}

fn minute() -> Timestamp {
    Timestamp::from_micros(START + 60_000_000)
}

fn uuid(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap()
}
