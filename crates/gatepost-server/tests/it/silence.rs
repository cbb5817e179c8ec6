//! This file is where it is shown that secrets and tokens get neither into the log nor into the journal.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::asking::{Ask, DOORS, and, credentials, form_of};
use crate::cast::{C, S, our_secret};
use crate::harness::TestServer;
use crate::listening::somebody_always_listens;

/// Takes down every field of every event of this thread.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

struct Written<'a>(&'a mut String);

impl Visit for Written<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Written(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Written(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        text.push('\n');
        event.record(&mut Written(&mut text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Requests that bring secrets in every place where one can be put.
fn asks(door: &str) -> Vec<Ask> {
    let wrong = "wr0ng-s3cret-wr0ng-s3cret";
    let query = form_of(&credentials(C, S));
    vec![
        Ask::post(door).json(&credentials(C, S)),
        Ask::post(door).basic(C, S).form("grant_type=client_credentials"),
        Ask::post(door).json(&credentials(C, wrong)),
        Ask::post(door).json(&credentials(wrong, S)),
        Ask::post(door).json(&credentials("a\u{0}b\r\nX: y", S)),
        Ask::post(door).basic(C, wrong).form("grant_type=client_credentials"),
        Ask::post(door).header("authorization", &format!("Bearer {S}")).form("grant_type=client_credentials"),
        Ask::post(door).header("authorization", &format!("Basic {S}")).form("grant_type=client_credentials"),
        Ask::post(door).json(&and(credentials(C, &our_secret()), json!({ "scope": "nope" }))),
        Ask::post(door).json(&and(credentials(C, S), json!({ "scope": "nope" }))),
        Ask::post(door).json(&and(credentials(C, S), json!({ "grant_type": S }))),
        Ask::post(&format!("{door}?{query}")).json(&json!({})),
        Ask::read(&format!("{door}?{query}")),
        Ask::read(&format!("/{S}?{query}")),
        Ask::post(door).body("application/json", format!("{{\"client_secret\":\"{S}")),
    ]
}

#[tokio::test]
async fn neither_log_nor_journal_holds_a_secret_or_a_token() {
    somebody_always_listens();
    let log = Everything::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let server = TestServer::start().await;
    let mut hidden = vec![S.to_owned(), our_secret()];
    for ask in DOORS.iter().flat_map(|door| asks(door)) {
        let reply = server.send(ask).await;
        if reply.status == 200 {
            let token = reply.token();
            hidden.extend(token.text.split('.').skip(1).map(str::to_owned));
        }
    }

    let written = log.0.lock().unwrap().clone();
    let journal = serde_json::to_string(&server.gate.journal().refusals()).unwrap();
    assert!(written.lines().count() > 20 && written.contains("status=401"), "{written}");
    assert!(hidden.len() > 6, "tokens were granted");
    for secret in &hidden {
        assert!(!written.contains(secret), "{secret}\n{written}");
        assert!(!journal.contains(secret), "{secret}\n{journal}");
    }
    assert!(!written.contains('\r') && !written.contains('\u{0}'), "nobody writes lines of their own");
    let clients = server.gate.journal().refusals().into_iter().map(|event| event.client);
    assert!(clients.into_iter().all(|client| !client.contains(char::is_control)));
}

#[tokio::test]
async fn the_journal_knows_the_reason_under_the_id_that_the_caller_has() {
    let server = TestServer::start().await;
    let rows = [
        (credentials(C, "nope"), "wrong secret"),
        (credentials("11111111-1111-4111-8111-111111111111", S), "no such client"),
        (credentials(crate::cast::SUSPENDED, S), "the client is suspended"),
        (credentials(crate::cast::ORPHANED, S), "the partner is suspended"),
        (credentials(crate::cast::ENDED, S), "wrong secret"),
        (and(credentials(C, S), json!({ "grant_type": "foo" })), "there is no such grant"),
        (and(credentials(C, S), json!({ "scope": "nope" })), "the API has no such scope"),
        (and(credentials(C, S), json!({ "scope": "admin" })), "the scope is not granted to the client"),
    ];
    for door in DOORS {
        for (members, reason) in &rows {
            let reply = server.send(Ask::post(door).json(members)).await;
            let noted = server.gate.journal().refusals().remove(0);
            assert_eq!(noted.reason, *reason);
            assert_eq!(
                (Some(noted.request_id.as_str()), noted.code),
                (reply.header("x-request-id"), reply.outcome().1.as_str())
            );
            assert!(!reply.text().contains(reason), "only the journal says why");
        }
    }
}

#[tokio::test]
async fn a_granted_request_is_no_refusal() {
    let server = TestServer::start().await;
    server.send(Ask::post(DOORS[0]).json(&credentials(C, S))).await.token();
    assert!(server.gate.journal().refusals().is_empty());
}
