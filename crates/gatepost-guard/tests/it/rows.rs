//! This file is where one row after the other is put to a guard, in process and through its layer.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Router, response::Response};
use gatepost_guard::jose::SigningKey;
use gatepost_guard::{Caller, Guard};
use tower::ServiceExt as _;

use super::mint::{BOTH, Draft, Profile, key};

/// A token, and what becomes of it.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) what: String,
    pub(crate) token: String,
    pub(crate) expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Accepted,
    /// With this code, so that a row can't pass because something else is wrong.
    Refused(&'static str),
}

/// The rows of one category for one profile.
pub(crate) struct Rows {
    pub(crate) profile: Profile,
    pub(crate) rows: Vec<Row>,
}

impl Rows {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, rows: Vec::new() }
    }

    pub(crate) fn is_passport(&self) -> bool {
        self.profile == Profile::Passport
    }

    pub(crate) fn draft(&self) -> Draft {
        self.profile.draft(key())
    }

    pub(crate) fn token(&self) -> String {
        self.draft().sign(key())
    }

    /// This token is refused with this code.
    pub(crate) fn refused(&mut self, id: &'static str, code: &'static str, token: impl Into<String>) {
        self.push(id, Expected::Refused(code), token.into());
    }

    pub(crate) fn accepted(&mut self, id: &'static str, token: impl Into<String>) {
        self.push(id, Expected::Accepted, token.into());
    }

    fn push(&mut self, id: &'static str, expected: Expected, token: String) {
        let what = format!("{id} case {} for {:?}", self.rows.len(), self.profile);
        self.rows.push(Row { id, what, token, expected });
    }

    /// A token with this header parameter, signed by our key, is refused.
    pub(crate) fn header(&mut self, id: &'static str, code: &'static str, name: &str, json: &str) {
        let mut draft = self.draft();
        draft.header.set(name, json);
        self.refused(id, code, draft.sign(key()));
    }

    /// A token with this claim, signed by our key, is refused.
    pub(crate) fn claim(&mut self, id: &'static str, code: &'static str, name: &str, json: &str) {
        let token = self.with_claim(name, json);
        self.refused(id, code, token);
    }

    /// A token with this claim, signed by our key, is accepted.
    pub(crate) fn good_claim(&mut self, id: &'static str, name: &str, json: &str) {
        let token = self.with_claim(name, json);
        self.accepted(id, token);
    }

    /// A token without this claim is refused.
    pub(crate) fn missing(&mut self, id: &'static str, code: &'static str, name: &str) {
        let mut draft = self.draft();
        draft.claims.remove(name);
        self.refused(id, code, draft.sign(key()));
    }

    fn with_claim(&self, name: &str, json: &str) -> String {
        let mut draft = self.draft();
        draft.claims.set(name, json);
        draft.sign(key())
    }
}

/// Puts all rows of both profiles to guards with these keys.
pub(crate) async fn check(category: fn(Profile) -> Vec<Row>, keys: &[&SigningKey]) {
    for profile in BOTH {
        let guard = profile.guard_of(keys);
        assert!(guard.judge(&profile.token(key())).await.is_ok(), "the token that all rows change is good");
        for row in category(profile) {
            row.check(&guard).await;
        }
    }
}

impl Row {
    pub(crate) async fn check(&self, guard: &Guard) {
        let verdict = guard.judge(&self.token).await;
        let outcome =
            verdict.map_or_else(|refusal| Expected::Refused(refusal.code()), |_| Expected::Accepted);
        // Refusals have codes of any length; comparing them as text names the difference.
        assert_eq!(format!("{outcome:?}"), format!("{:?}", self.expected), "{}", self.what);

        // A space before the token is one more after the scheme, which is allowed there.
        if self.token.starts_with(' ') {
            return;
        }
        // What is no header value at all never gets as far as the guard.
        if let Ok(value) = HeaderValue::from_bytes(format!("Bearer {}", self.token).as_bytes()) {
            let response = call(guard, value).await;
            match self.expected {
                Expected::Accepted => assert_eq!(response.status(), StatusCode::OK, "{}", self.what),
                Expected::Refused(_) => assert_is_refusal(&response, &self.what),
            }
        }
    }
}

/// What a guard says of a token, in one word.
pub(crate) async fn code(guard: &Guard, token: &str) -> &'static str {
    guard.judge(token).await.map_or_else(|refusal| refusal.code(), |_| "accepted")
}

/// Calls a route behind the guard with this `Authorization` header.
pub(crate) async fn call(guard: &Guard, authorization: HeaderValue) -> Response {
    let app: Router = Router::new().route("/", get(|caller: Caller| async move { caller.client_id.clone() }));
    let request = Request::get("/").header(AUTHORIZATION, authorization).body(Body::empty()).unwrap();
    app.layer(guard.clone()).oneshot(request).await.unwrap()
}

pub(crate) fn assert_is_refusal(response: &Response, what: &str) {
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{what}");
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.starts_with(r#"Bearer realm="api", error="invalid_token""#), "{what}: {challenge}");
}
