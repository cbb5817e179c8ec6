//! This file is where hostile requests are sent to the token endpoint, the key sets and the metadata, row by row.
//!
//! Rows about client assertions, DPoP and client certificates come with those methods and are not in the data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, basic, credentials};
use crate::cast::{BASIC_ONLY, DELETED, NO_GRANT, OURS, S, SUSPENDED, our_secret};
use crate::harness::{ISSUER, TestServer};
use crate::reply::Reply;

#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    surface: String,
    pub(crate) description: String,
    request: Sent,
    expect: Expected,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_b64: Option<String>,
    body_gen: Option<Repeated>,
}

#[derive(Deserialize)]
struct Repeated {
    prefix: String,
    unit: String,
    count: usize,
    suffix: String,
}

#[derive(Deserialize)]
struct Expected {
    status: Vec<u16>,
    error: Option<String>,
}

/// What stands for the names in braces.
pub(crate) struct Names(pub(crate) Vec<(&'static str, String)>);

impl Names {
    async fn of(server: &TestServer) -> Self {
        let token =
            server.send(Ask::post(STANDARD_DOOR).json(&credentials(OURS, &our_secret()))).await.token();
        let pair = |id: &str, secret: &str| basic(id, secret).trim_start_matches("Basic ").to_owned();
        Self(vec![
            ("{CLIENT_ID}", OURS.into()),
            ("{CLIENT_SECRET}", our_secret()),
            ("{SUSPENDED_CLIENT_ID}", SUSPENDED.into()),
            ("{SUSPENDED_CLIENT_SECRET}", S.into()),
            ("{DELETED_CLIENT_ID}", DELETED.into()),
            ("{DELETED_CLIENT_SECRET}", S.into()),
            ("{NO_CC_CLIENT_ID}", NO_GRANT.into()),
            ("{NO_CC_SECRET}", S.into()),
            ("{BASIC_ONLY_CLIENT_ID}", BASIC_ONLY.into()),
            ("{BASIC_ONLY_SECRET}", S.into()),
            ("{BASIC}", pair(OURS, &our_secret())),
            ("{BASIC_WRONG}", pair(OURS, "wrong")),
            ("{TOKEN}", token.text),
        ])
    }

    fn put_into(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// What must never come back.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = |name: &str| ["SECRET", "BASIC}", "TOKEN"].iter().any(|word| name.contains(word));
        self.0.iter().filter(move |(name, _)| secret(name)).map(|(_, value)| value.as_str())
    }
}

impl Row {
    pub(crate) fn ask(&self, names: &Names) -> Ask {
        let sent = &self.request;
        let ask = Ask::new(&sent.method, &names.put_into(&sent.path));
        let ask =
            sent.headers.iter().fold(ask, |ask, (name, value)| ask.header(name, &names.put_into(value)));
        let body = match (&sent.body, &sent.body_b64, &sent.body_gen) {
            (Some(text), _, _) => names.put_into(text).into_bytes(),
            (_, Some(encoded), _) => STANDARD.decode(encoded).unwrap(),
            (_, _, Some(made)) => {
                let middle = made.unit.repeat(made.count);
                format!("{}{middle}{}", names.put_into(&made.prefix), made.suffix).into_bytes()
            }
            (None, None, None) => Vec::new(),
        };
        Ask { body, ..ask }
    }

    pub(crate) fn is_expected(&self, reply: &Reply) -> bool {
        let (status, error) = reply.outcome();
        let named = status != 200 && self.expect.error.as_ref().is_some_and(|expected| *expected != error);
        self.expect.status.contains(&status) && !named
    }
}

/// The rows about a surface.
pub(crate) fn rows(surface: &str) -> Vec<Row> {
    let all: Vec<Row> = serde_json::from_str(include_str!("../data/hostile.json")).unwrap();
    all.into_iter().filter(|row| row.surface == surface).collect()
}

/// What holds for every answer of a token endpoint, whoever asks and whatever for.
fn invariants(row: &Row, reply: &Reply, server: &TestServer, names: &Names) {
    let id = &row.id;
    assert!(reply.status < 500, "{id}: {}", reply.status);
    let text = reply.text();
    let folder = server.gate.config.data.display().to_string();
    for hidden in names.secrets().chain([folder.as_str(), "panicked", ".rs:", "SELECT"]) {
        assert!(!text.contains(hidden), "{id} leaks {hidden}: {text}");
    }
    assert!(reply.header("cache-control").is_some_and(|value| value.contains("no-store")), "{id}");
    assert_eq!(
        reply.header("www-authenticate").is_some(),
        reply.status == 401 && row.is_at_standard(reply),
        "{id}"
    );
    if reply.status != 200 {
        assert_eq!(reply.header("content-type"), Some("application/json"), "{id}");
        assert!(reply.json()["error"].is_string(), "{id}: {text}");
    }
}

impl Row {
    /// Passport challenges only who sent a header; the standard door challenges everyone.
    fn is_at_standard(&self, reply: &Reply) -> bool {
        reply.json().get("message").is_none()
            || self.request.headers.iter().any(|(name, _)| name == "Authorization")
    }
}

#[tokio::test]
async fn the_standard_door_answers_every_hostile_request_as_expected() {
    let server = TestServer::start().await;
    let names = Names::of(&server).await;
    let mut complaints = Vec::new();
    for row in rows("token") {
        let reply = server.send(row.ask(&names)).await;
        invariants(&row, &reply, &server, &names);
        if !row.is_expected(&reply) {
            complaints.push(format!("{} {}: {} {}", row.id, row.description, reply.status, reply.text()));
        }
        consequences(&row, &reply);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(rows("token").len(), 76);
}

/// What rows say beside status and code.
fn consequences(row: &Row, reply: &Reply) {
    match row.id.as_str() {
        "T028" => assert_eq!(reply.header("allow"), Some("POST")),
        "T083" => {
            let claims = reply.token().claims();
            assert_eq!((&claims["aud"], &claims["sub"], claims.get("iss")), (&OURS.into(), &"".into(), None));
            assert!(claims.get("cnf").is_none());
        }
        _ => {}
    }
}

/// Rows whose credentials are right by the origin door's own rules, with the case that says so.
const RIGHT_AT_ORIGIN: [(&str, &str); 5] = [
    ("T012", "A17: blanks around a secret are trimmed"),
    ("T013", "A17: blanks around a secret are trimmed"),
    ("T053", "A24: the last of equal names wins"),
    ("T055", "A24: the last of equal names wins"),
    ("T056", "A24: the last of equal names wins"),
];

/// Rows about `resource`, which the origin door ignores.
const IGNORED_AT_ORIGIN: [&str; 2] = ["T077", "T078"];

#[tokio::test]
async fn the_origin_door_gives_no_token_without_right_credentials_and_never_breaks() {
    let server = TestServer::start().await;
    let names = Names::of(&server).await;
    for row in rows("token") {
        let ask = row.ask(&names);
        let reply = server.send(Ask { path: ask.path.replace(STANDARD_DOOR, ORIGIN), ..ask }).await;
        invariants(&row, &reply, &server, &names);
        let may = row.expect.status.contains(&200)
            || RIGHT_AT_ORIGIN.iter().any(|(id, _)| *id == row.id)
            || IGNORED_AT_ORIGIN.contains(&row.id.as_str());
        assert!(reply.status != 200 || may, "{} {}: {}", row.id, row.description, reply.text());
    }
    let alive = server.send(Ask::post(ORIGIN).json(&credentials(OURS, &our_secret()))).await;
    assert_eq!(alive.token().claims()["aud"], OURS);
}

#[tokio::test]
async fn key_sets_are_the_same_whatever_a_request_says() {
    let server = TestServer::start().await;
    let names = Names(Vec::new());
    let control = server.send(Ask::read("/.well-known/jwks.json")).await;
    for row in rows("jwks") {
        let reply = server.send(row.ask(&names)).await;
        assert!(row.is_expected(&reply), "{}: {}", row.id, reply.status);
        if reply.status == 200 {
            assert_eq!(reply.text(), control.text(), "{}", row.id);
            assert!(
                reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
                "{}",
                row.id
            );
        } else {
            assert!(reply.json()["error"].is_string(), "{}", row.id);
        }
    }
    let text = control.text();
    for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth", "priv"] {
        assert!(!text.contains(&format!("\"{private}\":")), "{private}");
    }
    assert_eq!(rows("jwks").len(), 8);
}

#[tokio::test]
async fn metadata_name_the_configured_issuer_whatever_a_request_says() {
    let server = TestServer::start().await;
    let names = Names(Vec::new());
    for row in rows("metadata") {
        let reply = server.send(row.ask(&names)).await;
        assert!(row.is_expected(&reply), "{}: {}", row.id, reply.status);
        assert!(!reply.text().contains("evil") && !reply.text().contains("none"), "{}", row.id);
        let metadata: Value = reply.json();
        assert_eq!(metadata["issuer"], ISSUER, "{}", row.id);
        for name in ["token_endpoint", "jwks_uri", "service_documentation"] {
            assert!(metadata[name].as_str().unwrap().starts_with(ISSUER), "{}", row.id);
        }
    }
    assert_eq!(rows("metadata").len(), 4);
}
