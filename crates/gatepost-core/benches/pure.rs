//! This file is where rules of the token path are run for ci/bench-pure.sh: parameters, secrets, claims, routes.
#![allow(clippy::expect_used, reason = "what fails here has no figure")]

use std::hint::black_box;
use std::sync::Arc;

use gatepost_core::apis::routes::{PlainPath, Route, needed};
use gatepost_core::apis::{Api, ApiId, ApiWithScopes, Audience};
use gatepost_core::clients::{Client, ClientId, ClientRecord, UngrantedScope, UserId};
use gatepost_core::grants::{Grant, GrantType};
use gatepost_core::issuer::Issuer;
use gatepost_core::keys::rotation::Turns;
use gatepost_core::limits::ClientLimits;
use gatepost_core::name::{Name, Slug};
use gatepost_core::params::{Params, Value};
use gatepost_core::partners::{PartnerId, Status};
use gatepost_core::scope::Scopes;
use gatepost_core::secret::{Pepper, Peppers, Secret, SecretKind};
use gatepost_core::time::{Lifetime, Timestamp};
use gatepost_core::tokens::profile::{Minting, PassportOptions, Profile};
use gatepost_jose::Algorithm;
use uuid::Uuid;

#[path = "../../../bench/pure/parts.rs"]
mod parts;

const CLIENT: &str = "9b1e82a7-0a59-4e7e-add5-b9ffa37aade1";
/// The beginning of the time of the origin page's sample.
const NOW: i64 = 1_710_220_031_000_000;

fn main() {
    parts::run(&[
        ("params", params),
        ("secret-form", secret_form),
        ("secret-tag", secret_tag),
        ("claims-rfc9068", claims_rfc9068),
        ("claims-passport", claims_passport),
        ("route", route),
    ]);
}

fn params(rounds: u32) {
    let names = ["grant_type", "client_id", "client_secret", "scope"];
    for _ in 0..rounds {
        let mut params = Params::default();
        for name in names {
            params.insert(name.to_owned(), Value::Text(CLIENT.to_owned()));
        }
        for name in names {
            black_box(params.text(name).expect("a text"));
        }
    }
}

fn secret() -> Secret {
    Secret::generate(SecretKind::Live, 0..=255).expect("enough bytes")
}

/// Prefix, alphabet and checksum.
fn secret_form(rounds: u32) {
    let secret = secret();
    for _ in 0..rounds {
        black_box(black_box(&secret).form());
    }
}

fn secret_tag(rounds: u32) {
    let (secret, peppers) = (secret(), Peppers::new(Pepper::new("p".to_owned(), &[7; 32]), Vec::new()));
    let stored = peppers.tag(&secret);
    for _ in 0..rounds {
        black_box(peppers.tag(black_box(&secret)).matches(&stored));
    }
}

fn claims_rfc9068(rounds: u32) {
    claims(Profile::Rfc9068, rounds);
}

fn claims_passport(rounds: u32) {
    claims(Profile::Passport(PassportOptions::default()), rounds);
}

fn claims(profile: Profile, rounds: u32) {
    let issuer = Issuer::parse("https://auth.example").expect("an issuer");
    let grant = grant(profile);
    let started = Timestamp::from_micros(NOW);
    let minting = Minting { started, now: started, random: [7; 40] };
    for _ in 0..rounds {
        black_box(grant.api.api.profile.claims(black_box(&grant), &issuer, &minting));
    }
}

fn grant(profile: Profile) -> Grant {
    let scopes = Scopes::parse("bookings:create bookings:delete").expect("scopes");
    let api = Api {
        id: ApiId(Uuid::nil()),
        name: Slug::parse("bookings").expect("a name"),
        audience: Audience::parse("https://api.example/v1").expect("an audience"),
        profile,
        algorithm: Algorithm::Es256,
        turns: Turns::ByDefault,
        created: Timestamp::from_micros(0),
        version: 1,
    };
    let client = ClientRecord {
        client: client(&scopes),
        partner_status: Status::Active,
        partner_expires: None,
        secrets: Vec::new(),
        keys: Vec::new(),
        limits: ClientLimits::default(),
    };
    let api = Arc::new(ApiWithScopes { api, scopes: Vec::new() });
    Grant { client: Arc::new(client), api, scopes, scopes_differ: false, lifetime: Lifetime::HOUR }
}

fn client(scopes: &Scopes) -> Client {
    Client {
        id: ClientId::parse(CLIENT).expect("an id"),
        partner_id: PartnerId(Uuid::from_u128(1)),
        user_id: UserId(Uuid::from_u128(2)),
        name: Name::parse("Billing export").expect("a name"),
        is_test: false,
        apis: Vec::new(),
        scopes: scopes.clone(),
        default_scopes: None,
        ungranted_scope: UngrantedScope::Refused,
        lifetime: Lifetime::HOUR,
        allow: Vec::new(),
        auth_method: None,
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: None,
        created: Timestamp::from_micros(0),
        version: 1,
    }
}

/// The scopes of a request by a table of 20 lines.
fn route(rounds: u32) {
    let scopes = Scopes::parse("bookings:read").expect("scopes");
    let line =
        |number| Route::parse("GET", &format!("/things-{number}/{{id}}"), scopes.clone()).expect("a line");
    let table: Vec<Route> = (0..20).map(line).collect();
    for _ in 0..rounds {
        let path = PlainPath::of(black_box("/things-17/9b1e82a7?page=2")).expect("a plain path");
        black_box(needed(&table, "GET", &path).expect("a line speaks of it"));
    }
}
