//! This file is where requests with two faults show which check comes first.

use serde_json::{Map, Value};

use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, form_of};
use crate::cast::{C, NO_GRANT, S};
use crate::harness::TestServer;

/// The checks in their order, as faults of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Method,
    BodyShape,
    GrantType,
    Authentication,
    ClientsGrants,
    Resource,
    Scope,
}

const ORDER: [Fault; 7] = [
    Fault::Method,
    Fault::BodyShape,
    Fault::GrantType,
    Fault::Authentication,
    Fault::ClientsGrants,
    Fault::Resource,
    Fault::Scope,
];

/// A request with these faults and no other.
fn ask(door: &str, faults: &[Fault]) -> Ask {
    let has = |fault| faults.contains(&fault);
    let pick = |fault, wrong: &str, right: &str| Value::from(if has(fault) { wrong } else { right });
    let mut members = Map::new();
    members.insert("grant_type".into(), pick(Fault::GrantType, "foo", "client_credentials"));
    members.insert("client_id".into(), pick(Fault::ClientsGrants, NO_GRANT, C));
    members.insert("client_secret".into(), pick(Fault::Authentication, "nope", S));
    members.insert("resource".into(), pick(Fault::Resource, "https://nobody.example", ""));
    members.insert("scope".into(), pick(Fault::Scope, "nope", ""));
    let members = Value::Object(members);

    let ask = Ask::new(if has(Fault::Method) { "PUT" } else { "POST" }, door);
    match (has(Fault::BodyShape), door) {
        (false, _) => ask.form(&form_of(&members)),
        (true, STANDARD_DOOR) => ask.form(&format!("{}&x=1&x=2", form_of(&members))),
        (true, _) => ask.body("application/json", format!("{members}!")),
    }
}

/// What each fault alone is answered with.
fn answer(door: &str, fault: Fault) -> (u16, &'static str) {
    match fault {
        Fault::Method => (405, "invalid_request"),
        Fault::BodyShape => (400, "invalid_request"),
        Fault::GrantType => (400, "unsupported_grant_type"),
        Fault::Authentication => (401, "invalid_client"),
        Fault::ClientsGrants if door == ORIGIN => (401, "invalid_client"),
        Fault::ClientsGrants => (400, "unauthorized_client"),
        Fault::Resource => (400, "invalid_target"),
        Fault::Scope => (400, "invalid_scope"),
    }
}

/// The checks that a door makes; the origin door ignores `resource`.
fn checks(door: &str) -> Vec<Fault> {
    ORDER.into_iter().filter(|fault| door == STANDARD_DOOR || *fault != Fault::Resource).collect()
}

#[tokio::test]
async fn of_two_faults_the_one_checked_first_answers() {
    let server = TestServer::start().await;
    for door in [ORIGIN, STANDARD_DOOR] {
        assert_eq!(server.send(ask(door, &[])).await.status, 200);
        let checks = checks(door);
        for (at, first) in checks.iter().enumerate() {
            for second in &checks[at..] {
                let reply = server.send(ask(door, &[*first, *second])).await;
                let (status, error) = answer(door, *first);
                assert_eq!(reply.outcome(), (status, error.to_owned()), "{door}: {first:?} and {second:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_without_the_grant_is_told_so_apart_from_one_that_failed_to_authenticate() {
    let server = TestServer::start().await;
    let wrong = server.send(ask(STANDARD_DOOR, &[Fault::Authentication, Fault::ClientsGrants])).await;
    assert_eq!(wrong.outcome(), (401, "invalid_client".to_owned()));
    assert_eq!(server.gate.journal().refusals()[0].reason, "wrong secret");
}
