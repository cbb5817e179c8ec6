//! This file is where the exchanges recorded from a real Passport are replayed: the same status, members and texts,
//! except where a case of the wire decides otherwise.

use gatepost_core::change::Change;
use gatepost_core::clients::{Client, ClientId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::asking::Ask;
use crate::cast::{C, RECORDED};
use crate::harness::TestServer;
use crate::reply::Reply;
use crate::wire::{granted, malformed, unsupported_grant};

#[derive(Deserialize)]
struct Exchange {
    case: String,
    method: String,
    path: String,
    headers: Vec<String>,
    body: String,
    status: u16,
    response_headers: Vec<String>,
    response_body: String,
    jwt_header: Option<String>,
    jwt_payload: Option<String>,
}

/// What a case of the wire decides in place of what was recorded.
enum Decided {
    Granted,
    Refused(String),
    /// The recorded message, with `error` and `error_description` beside it.
    Explained(&'static str),
    NoContent,
    /// Comes with rate limits: nothing is compared yet.
    Later,
}

/// The exchanges that end otherwise here, each with the case that says so.
fn decided(case: &str) -> Option<(&'static str, Decided)> {
    let laravel = |method| {
        Decided::Explained(match method {
            "GET" => "The GET method is not supported for this route. Supported methods: POST.",
            "PUT" => "The PUT method is not supported for this route. Supported methods: POST.",
            _ => "The DELETE method is not supported for this route. Supported methods: POST.",
        })
    };
    Some(match case {
        "basic-lowercase-scheme" => ("A21", Decided::Granted),
        "refresh-missing" => ("B6", Decided::Refused(unsupported_grant())),
        "password-grant" => ("B8", Decided::Refused(unsupported_grant())),
        "malformed-json" => ("B9", Decided::Refused(malformed(""))),
        "json-array" | "json-string" => ("B10", Decided::Refused(malformed(""))),
        "json-bom" => ("B11", Decided::Refused(malformed(""))),
        "form-body-json-ct" => ("B14", Decided::Refused(malformed(""))),
        "get" | "get-query" | "get-html" => ("M1", laravel("GET")),
        "put" => ("M1", laravel("PUT")),
        "delete" => ("M1", laravel("DELETE")),
        "options" => ("M3", Decided::NoContent),
        "not-found" => ("M4", Decided::Explained("")),
        "method-override" => ("M5", Decided::Granted),
        "rate-limited-62nd-html" => ("M7", Decided::Later),
        _ => return None,
    })
}

impl Exchange {
    fn ask(&self) -> Ask {
        let ask = Ask::new(&self.method, &self.path);
        let with = |ask: Ask, line: &String| {
            let (name, value) = line.split_once(": ").unwrap();
            ask.header(&name.to_lowercase(), value)
        };
        let ask = self.headers.iter().fold(ask, with);
        Ask { body: self.body.clone().into_bytes(), ..ask }
    }

    fn recorded(&self, name: &str) -> Option<&str> {
        let pairs = self.response_headers.iter().filter_map(|line| line.split_once(": "));
        pairs.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// What differs from the recording, in words; nothing when all is the same.
    fn difference(&self, reply: &Reply) -> Option<String> {
        if reply.status != self.status {
            return Some(format!("{} instead of {}: {}", reply.status, self.status, reply.text()));
        }
        for name in ["content-type", "www-authenticate", "allow", "pragma"] {
            let (ours, theirs) = (reply.header(name), self.recorded(name));
            // Ours forbids old caches on errors too.
            if ours != theirs && !(name == "pragma" && theirs.is_none()) {
                return Some(format!("{name}: {ours:?} instead of {theirs:?}"));
            }
        }
        if self.status != 200 {
            return (reply.text() != self.response_body)
                .then(|| format!("{} instead of {}", reply.text(), self.response_body));
        }
        self.token_difference(reply)
    }

    fn token_difference(&self, reply: &Reply) -> Option<String> {
        let token = reply.token();
        let body = reply.text().replace(&token.text, "<JWT>");
        if body != self.response_body {
            return Some(body);
        }
        if Some(&token.header) != self.jwt_header.as_ref() {
            return Some(token.header);
        }
        let recorded: Value = serde_json::from_str(self.jwt_payload.as_ref().unwrap()).unwrap();
        let (ours, recorded_names) = (token.claims(), recorded.as_object().unwrap().keys().cloned());
        let names: Vec<_> =
            recorded_names.chain(["user_id", "partner_id", "is_test"].map(str::to_owned)).collect();
        let same = ["aud", "sub", "scopes"].iter().all(|name| ours[name] == recorded[name]);
        (token.names() != names || !same).then_some(token.payload)
    }
}

fn exchanges() -> Vec<Exchange> {
    serde_json::from_str(include_str!("../data/passport_exchanges.json")).unwrap()
}

/// A server at which C stands as it stood at that Passport: no scopes column, no default scope.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    let record =
        async |id| server.gate.store().client_record(&ClientId::parse(id).unwrap()).await.unwrap().unwrap();
    let (c, recorded) = (record(C).await.client, record(RECORDED).await.client);
    let client = Client { scopes: recorded.scopes, default_scopes: recorded.default_scopes, ..c };
    server.apply(vec![Change::ClientUpdated(client)]).await;
    server
}

#[tokio::test]
async fn recorded_exchanges_have_the_same_answers_unless_a_case_decides_otherwise() {
    let server = server().await;
    for exchange in exchanges() {
        let reply = server.send(exchange.ask()).await;
        let difference = exchange.difference(&reply);
        match decided(&exchange.case) {
            None => assert_eq!(difference, None, "{}", exchange.case),
            Some((_, Decided::Later)) => {}
            Some((id, decision)) => {
                assert!(difference.is_some(), "{}: {id} decides nothing any more", exchange.case);
                holds(&exchange, &reply, &decision);
            }
        }
    }
}

fn holds(exchange: &Exchange, reply: &Reply, decision: &Decided) {
    let case = &exchange.case;
    match decision {
        Decided::Granted => drop(granted(reply)),
        Decided::Refused(body) => assert_eq!((reply.status, reply.text()), (400, body.as_str()), "{case}"),
        Decided::Explained(message) => {
            assert_eq!(
                (reply.status, reply.header("allow")),
                (exchange.status, exchange.recorded("allow")),
                "{case}"
            );
            assert_eq!(reply.json()["message"], json!(message), "{case}");
            assert!(
                reply.json()["error"].is_string() && reply.json()["error_description"].is_string(),
                "{case}"
            );
        }
        Decided::NoContent => {
            assert_eq!((reply.status, reply.header("allow")), (204, Some("POST")), "{case}");
        }
        Decided::Later => {}
    }
}

#[test]
fn every_decision_is_about_a_recorded_exchange() {
    let all = exchanges();
    assert_eq!(all.len(), 67);
    assert_eq!(all.iter().filter(|exchange| decided(&exchange.case).is_some()).count(), 17);
}
