//! This folder is where the acceptance cases of the wire are, one file a section; each test or row carries its case's id.

mod authentication;
mod encodings;
mod methods;
mod passport_tokens;
mod request_shape;
mod rfc9068_tokens;
mod scope;

use crate::reply::Reply;

/// A request that is refused at the origin door: the case's id, what to ask, and what comes of it.
pub(crate) struct Refused {
    pub(crate) id: &'static str,
    pub(crate) ask: crate::asking::Ask,
    pub(crate) status: u16,
    pub(crate) body: String,
}

const DESCRIPTIONS: [(&str, &str); 4] = [
    ("unsupported_grant_type", "The authorization grant type is not supported by the authorization server."),
    (
        "invalid_request",
        "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.",
    ),
    ("invalid_client", "Client authentication failed"),
    ("invalid_scope", "The requested scope is invalid, unknown, or malformed"),
];

/// The body of an error at the origin door, byte for byte; `hint` as it stands in the JSON.
pub(crate) fn passport_error(error: &str, hint: &str) -> String {
    let (_, text) = DESCRIPTIONS.iter().find(|(known, _)| *known == error).unwrap();
    let hint = if hint.is_empty() { String::new() } else { format!(r#""hint":"{hint}","#) };
    format!(r#"{{"error":"{error}","error_description":"{text}",{hint}"message":"{text}"}}"#)
}

pub(crate) fn unsupported_grant() -> String {
    passport_error("unsupported_grant_type", "Check that all required parameters have been provided")
}

pub(crate) fn malformed(parameter: &str) -> String {
    let hint =
        if parameter.is_empty() { String::new() } else { format!("Check the `{parameter}` parameter") };
    passport_error("invalid_request", &hint)
}

pub(crate) fn bad_scope(scope: &str) -> String {
    passport_error("invalid_scope", &format!("Check the `{scope}` scope"))
}

pub(crate) fn not_you() -> String {
    passport_error("invalid_client", "")
}

/// Asks for every row and complains about all that went otherwise.
pub(crate) async fn all_refused(rows: Vec<Refused>) {
    let server = crate::harness::TestServer::start().await;
    let mut complaints = Vec::new();
    for Refused { id, ask, status, body } in rows {
        let reply = server.send(ask.clone()).await;
        if (reply.status, reply.text()) != (status, &body) {
            complaints.push(format!(
                "{id}: {ask:?}\n  got {} {}\n  not {status} {body}",
                reply.status,
                reply.text()
            ));
        }
        refusal_headers(&reply);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// C20: what every refusal carries.
pub(crate) fn refusal_headers(reply: &Reply) {
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()));
}

/// A1: what every granted token comes in, byte for byte.
pub(crate) fn granted(reply: &Reply) -> crate::reply::Token {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let token = reply.token();
    assert_eq!(
        reply.text(),
        format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{}"}}"#, token.text)
    );
    assert_eq!(reply.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    assert_eq!(reply.header("cache-control"), Some("no-store, private"));
    assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()));
    token
}

/// The cases of each section.
const SECTIONS: [(&str, &[&str]); 6] = [
    (
        "A: encodings",
        &[
            "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15",
            "A16", "A17", "A18", "A19", "A20", "A21", "A22", "A23", "A24",
        ],
    ),
    (
        "B: request shape",
        &[
            "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11", "B12", "B13", "B14", "B15",
            "B16", "B17", "B18", "B19", "B20", "B21", "B22", "B23", "B24", "B25",
        ],
    ),
    (
        "C: client authentication",
        &[
            "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14", "C15",
            "C16", "C17", "C18", "C19", "C20",
        ],
    ),
    (
        "D: scope",
        &[
            "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15",
            "S16", "S17", "S18", "S19", "S20",
        ],
    ),
    ("E: method, path, limits", &["M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8"]),
    (
        "F and G: tokens",
        &[
            "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T7b", "T8", "T9", "T10", "T11", "T12", "T13", "T14",
            "T15", "T16", "R1", "R2", "R3", "R4", "R4b", "R5", "R6", "R7", "R8", "R9",
        ],
    ),
];

/// What has no test here, whole or in part, and what it waits for.
const LATER: [(&str, &str); 6] = [
    ("B25", "a slow body needs a socket: the tests of the connection hold it"),
    ("C13", "bcrypt secrets come with the importer"),
    ("C14", "plain secrets come with the importer"),
    ("T16", "there is no setting that adds claims"),
    ("R7", "that an old key stays published comes with rotation"),
    ("R9", "protected endpoints of the server itself; the guard's own tests hold the same answers"),
];

const SOURCES: [&str; 9] = [
    include_str!("authentication.rs"),
    include_str!("encodings.rs"),
    include_str!("methods.rs"),
    include_str!("passport_tokens.rs"),
    include_str!("request_shape.rs"),
    include_str!("rfc9068_tokens.rs"),
    include_str!("scope.rs"),
    include_str!("../alike.rs"),
    include_str!("../algorithms.rs"),
];

/// Whether a test's name begins with the id, or a row does.
fn is_covered(id: &str) -> bool {
    let (letter, number) = id.split_at(1);
    let digits = number.trim_end_matches('b');
    let name = format!("fn {}{digits:0>2}{}_", letter.to_lowercase(), &number[digits.len()..]);
    let row = format!("(\"{id}\",");
    let begins_row = |source: &str| source.split_whitespace().collect::<String>().contains(&row);
    SOURCES.iter().any(|source| source.contains(&name) || begins_row(source))
}

#[test]
fn every_case_has_its_test_or_says_what_it_waits_for() {
    let missing = |id: &&&str| !is_covered(id) && LATER.iter().all(|(later, _)| later != *id);
    for (section, ids) in SECTIONS {
        let missing: Vec<_> = ids.iter().filter(missing).collect();
        assert!(missing.is_empty(), "{section}: {missing:?}");
    }
    assert!(!is_covered("A99"));
}

#[test]
fn nothing_that_waits_is_whole_already() {
    let partly = ["R7"];
    for (id, why) in LATER {
        assert!(!is_covered(id) || partly.contains(&id), "{id} has a test now; it waited for: {why}");
        assert!(SECTIONS.iter().any(|(_, ids)| ids.contains(&id)), "{id}");
    }
}
