//! This file is where the grant's rules are tried as tables: a client and what it asks for against what comes of it.

use uuid::Uuid;

use super::*;
use crate::apis::{Api, ApiScope, Audience};
use crate::clients::{ClientId, Credentials, Method, SecretId, Source, StoredSecret, UserId, authenticate};
use crate::keys::rotation::Turns;
use crate::limits::ClientLimits;
use crate::name::{Name, Slug};
use crate::partners::{PartnerId, Status};
use crate::secret::{Pepper, Peppers, Secret};
use crate::tokens::profile::{PassportOptions, Sub};

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// `shop` has the scopes a, b, c and x; `depot` has a and d. The first is of the passport profile.
fn apis(options: PassportOptions) -> Vec<Arc<ApiWithScopes>> {
    vec![
        api(1, "shop", Profile::Passport(options), "a b c x"),
        api(2, "depot", Profile::Rfc9068, "a d"),
        api(3, "other", Profile::Rfc9068, "a"),
    ]
}

fn api(id: u128, name: &str, profile: Profile, scopes: &str) -> Arc<ApiWithScopes> {
    let scope = |scope: &Scope| ApiScope { name: scope.clone(), description: String::new() };
    let algorithm = gatepost_jose::Algorithm::Rs256;
    let api = Api {
        id: ApiId(Uuid::from_u128(id)),
        name: Slug::parse(name).unwrap(),
        audience: Audience::parse(&format!("https://{name}.example")).unwrap(),
        profile,
        algorithm,
        turns: Turns::ByDefault,
        created: NOW,
        version: 1,
    };
    Arc::new(ApiWithScopes { api, scopes: Scopes::parse(scopes).unwrap().iter().map(scope).collect() })
}

/// A client of `shop` and `depot` that was granted a, b and d, and nothing else by default.
fn client() -> Client {
    Client {
        id: ClientId::parse("c").unwrap(),
        partner_id: PartnerId(Uuid::from_u128(1)),
        user_id: UserId(Uuid::from_u128(2)),
        name: Name::parse("n").unwrap(),
        is_test: false,
        apis: vec![ApiId(Uuid::from_u128(1)), ApiId(Uuid::from_u128(2))],
        scopes: Scopes::parse("a b d").unwrap(),
        default_scopes: None,
        ungranted_scope: UngrantedScope::Refused,
        lifetime: Lifetime::from_seconds(90).unwrap(),
        allow: vec![],
        auth_method: None,
        grant_types: vec![GrantType::ClientCredentials],
        status: Status::Active,
        expires: None,
        created: NOW,
        version: 1,
    }
}

/// The only way to a proof is to authenticate.
fn proof(client: Client) -> AuthenticatedClient {
    proof_of_one(client, None)
}

/// The same of a client whose partner expires.
fn proof_of_one(client: Client, partner_expires: Option<Timestamp>) -> AuthenticatedClient {
    let peppers = Peppers::new(Pepper::new("p".into(), &[1; 32]), vec![]);
    let tag = peppers.tag(&Secret::new("s".into()));
    let id = SecretId(Uuid::nil());
    let secret =
        StoredSecret { id, label: None, tag, created: NOW, not_before: None, expires: None, ended: None };
    let presented = Credentials { client_id: client.id.to_string(), secret: Secret::new("s".into()) };
    let record = Arc::new(ClientRecord {
        client,
        partner_status: Status::Active,
        partner_expires,
        secrets: vec![secret],
        keys: vec![],
        limits: ClientLimits::default(),
    });
    let source = Source { method: Method::SecretPost, address: None };
    authenticate(Some(&record), &presented, source, &peppers, NOW).unwrap()
}

fn params(named: &[(&str, Value)]) -> Params {
    let mut params = Params::default();
    for (name, value) in named {
        params.insert((*name).to_owned(), value.clone());
    }
    params
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list(parts: &[&str]) -> Value {
    Value::List(parts.iter().map(|part| (*part).to_owned()).collect())
}

/// What comes of it: `api: scopes`, with `!` when they differ from what was asked for; or `code parameter`.
fn ask(door: Door, client: Client, named: &[(&str, Value)]) -> String {
    said(decided(&proof(client), door, &params(named), &apis(PassportOptions::default())))
}

fn decided(
    who: &AuthenticatedClient,
    door: Door,
    params: &Params,
    apis: &[Arc<ApiWithScopes>],
) -> Result<Grant, Refusal> {
    decide(who, Wish { grant: GrantType::ClientCredentials, door, params }, apis, NOW)
}

fn said(outcome: Result<Grant, Refusal>) -> String {
    match outcome {
        Ok(grant) => {
            let differ = if grant.scopes_differ { "!" } else { "" };
            format!("{}: {}{differ}", grant.api.api.name.as_str(), grant.scopes.joined())
        }
        Err(refusal) => {
            let parameter = refusal.parameter.unwrap_or_default();
            format!("{} {parameter}", refusal.code.as_str()).trim_end().to_owned()
        }
    }
}

fn scope(door: Door, scope: Value) -> String {
    ask(door, client(), &[("scope", scope)])
}

#[test]
fn scopes_are_those_asked_for_in_their_order_each_once() {
    for (asked, expected) in [
        ("a", "shop: a"),
        ("b a", "shop: b a"),
        ("a b a", "shop: a b"),
        ("  a   b ", "shop: a b"),
        ("", "shop: a b!"),
        ("   ", "shop: a b!"),
        ("nope", "invalid_scope nope"),
        ("a nope", "invalid_scope nope"),
        ("c", "invalid_scope c"),
        ("a c", "invalid_scope c"),
        ("d", "invalid_scope d"),
        ("A", "invalid_scope A"),
        ("a,b", "invalid_scope a,b"),
        ("a\tb", "invalid_scope a\tb"),
        ("\"a\"", "invalid_scope \"a\""),
        ("*", "invalid_scope *"),
    ] {
        for door in [Door::Origin, Door::Standard] {
            assert_eq!(scope(door, text(asked)), expected, "{asked:?} at {door:?}");
        }
    }
}

#[test]
fn only_the_origin_door_takes_lists_of_scopes() {
    for (value, origin, standard) in [
        (list(&["b", "a"]), "shop: b a", "invalid_request scope"),
        (list(&[]), "shop: ", "invalid_request scope"),
        (list(&["a b"]), "invalid_scope a b", "invalid_request scope"),
        (list(&["nope"]), "invalid_scope nope", "invalid_request scope"),
        (Value::Number("7".into()), "invalid_request scope", "invalid_request scope"),
        (Value::Other, "invalid_request scope", "invalid_request scope"),
        (Value::Null, "shop: a b!", "shop: a b!"),
    ] {
        assert_eq!(scope(Door::Origin, value.clone()), origin, "{value:?}");
        assert_eq!(scope(Door::Standard, value.clone()), standard, "{value:?}");
    }
}

#[test]
fn without_scope_the_defaults_count_as_far_as_the_api_knows_them() {
    let defaults = |text: Option<&str>| {
        let default_scopes = text.map(|text| Scopes::parse(text).unwrap());
        ask(Door::Standard, Client { default_scopes, ..client() }, &[])
    };
    assert_eq!(defaults(None), "shop: a b!");
    assert_eq!(defaults(Some("b")), "shop: b!");
    assert_eq!(defaults(Some("b d")), "shop: b!");
    assert_eq!(defaults(Some("")), "shop: ", "none asked for, none given: nothing differs");
}

#[test]
fn a_client_with_a_scopes_column_loses_what_it_lacks_and_the_grant_says_so() {
    let dropping = |asked: &str| {
        let client = Client { ungranted_scope: UngrantedScope::Dropped, ..client() };
        ask(Door::Standard, client, &[("scope", text(asked))])
    };
    assert_eq!(dropping("a c"), "shop: a!");
    assert_eq!(dropping("c"), "shop: !");
    assert_eq!(dropping("b a"), "shop: b a");
    assert_eq!(dropping("a nope"), "invalid_scope nope", "an unknown scope is no ungranted one");
}

#[test]
fn a_resource_is_the_audience_of_one_of_the_clients_apis_and_the_origin_door_ignores_it() {
    for (resource, standard) in [
        ("https://depot.example", "depot: a d!"),
        ("https://shop.example", "shop: a b!"),
        ("", "shop: a b!"),
        ("https://other.example", "invalid_target"),
        ("https://depot.example/", "invalid_target"),
        ("https://depot.example#x", "invalid_target"),
        ("HTTPS://depot.example", "invalid_target"),
        ("depot", "invalid_target"),
    ] {
        let asked = [("resource", text(resource))];
        assert_eq!(ask(Door::Standard, client(), &asked), standard, "{resource}");
        assert_eq!(ask(Door::Origin, client(), &asked), "shop: a b!", "{resource}");
    }
}

#[test]
fn a_resource_twice_or_of_another_type_is_refused() {
    let mut twice = params(&[("resource", text("https://depot.example"))]);
    twice.note_repeated_resource();
    let apis = apis(PassportOptions::default());
    assert_eq!(said(decided(&proof(client()), Door::Standard, &twice, &apis)), "invalid_target");
    let number = [("resource", Value::Number("7".into()))];
    assert_eq!(ask(Door::Standard, client(), &number), "invalid_request resource");
}

#[test]
fn the_scope_belongs_to_the_api_that_the_token_is_for() {
    let depot = |asked: &str| {
        let asked = [("resource", text("https://depot.example")), ("scope", text(asked))];
        ask(Door::Standard, client(), &asked)
    };
    assert_eq!(depot("a d"), "depot: a d");
    assert_eq!(depot("b"), "invalid_scope b", "the shop's scope");
}

#[test]
fn the_clients_grants_come_first_then_the_resource_then_the_scope() {
    let without_grant = Client { grant_types: vec![], ..client() };
    let both = [("resource", text("nope")), ("scope", text("nope"))];
    assert_eq!(ask(Door::Standard, without_grant, &both), "unauthorized_client");
    assert_eq!(ask(Door::Standard, client(), &both), "invalid_target");
    assert_eq!(ask(Door::Standard, client(), &both[1..]), "invalid_scope nope");
}

#[test]
fn a_client_whose_apis_are_gone_gets_nothing() {
    let gone = |ids: &[u128]| {
        let apis = ids.iter().map(|id| ApiId(Uuid::from_u128(*id))).collect();
        ask(Door::Standard, Client { apis, ..client() }, &[("scope", text("a"))])
    };
    assert_eq!(gone(&[]), "unauthorized_client");
    assert_eq!(gone(&[99]), "unauthorized_client");
    assert_eq!(gone(&[99, 2]), "depot: a", "the first that is still there");
}

#[test]
fn an_integer_id_does_not_become_a_subject_unless_the_api_allows_it() {
    let outcome = |id: &str, sub: Sub, allow_integer_sub: bool| {
        let options = PassportOptions { sub, allow_integer_sub, ..PassportOptions::default() };
        let client = Client { id: ClientId::parse(id).unwrap(), ..client() };
        said(decided(&proof(client), Door::Origin, &params(&[]), &apis(options)))
    };
    assert_eq!(outcome("17", Sub::Empty, false), "shop: a b!");
    assert_eq!(outcome("17", Sub::ClientId, false), "unauthorized_client");
    assert_eq!(outcome("17", Sub::ClientId, true), "shop: a b!");
    assert_eq!(outcome("17a", Sub::ClientId, false), "shop: a b!");
}

#[test]
fn the_grant_has_the_clients_lifetime() {
    let grant =
        decided(&proof(client()), Door::Origin, &params(&[]), &apis(PassportOptions::default())).unwrap();
    assert_eq!(grant.lifetime.seconds(), 90);
}

#[test]
fn no_token_lives_longer_than_its_client_or_partner() {
    let granted = |own: Option<u64>, partner: Option<u64>| {
        let at = |seconds: u64| NOW.after(std::time::Duration::from_millis(seconds));
        let client = Client { expires: own.map(at), ..client() };
        let who = proof_of_one(client, partner.map(at));
        let outcome = decided(&who, Door::Standard, &params(&[]), &apis(PassportOptions::default()));
        outcome.map(|grant| grant.lifetime.seconds()).map_err(|refusal| refusal.code.as_str())
    };
    assert_eq!(granted(None, None), Ok(90));
    assert_eq!(granted(Some(90_000), Some(91_000)), Ok(90));
    assert_eq!(granted(Some(60_000), None), Ok(60));
    assert_eq!(granted(Some(60_000), Some(30_000)), Ok(30), "the partner ends first");
    assert_eq!(granted(None, Some(1_999)), Ok(1), "whole seconds, rounded down");
    assert_eq!(granted(Some(999), None), Err("invalid_client"), "no token lives for less than a second");
}
