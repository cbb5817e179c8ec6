//! This file is where the page is made that a partner's developer reads: how to authenticate here, with this server's
//! own address, scopes and lifetimes.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use gatepost_operations::apis::{self, ApiView};
use gatepost_operations::core::refusal::Code;

use crate::http::failure::{self, Dress};
use crate::state::App;

#[derive(Template)]
#[template(path = "docs.html")]
struct Page {
    title: String,
    issuer: String,
    origin_path: String,
    lifetime_seconds: u64,
    leeway_seconds: u64,
    apis: Vec<ApiView>,
    errors: Vec<Explained>,
}

/// An error code in plain words.
struct Explained {
    code: &'static str,
    status: u16,
    meaning: &'static str,
    mend: &'static str,
}

impl Explained {
    fn of(code: Code) -> Self {
        let (meaning, mend) = match code {
            Code::InvalidRequest => (
                "A parameter is missing, repeated or malformed, or two ways of authenticating were used.",
                "Compare your request with the example; send each parameter once.",
            ),
            Code::InvalidClient => (
                "The Client ID and Client Secret were not accepted; which of the two is wrong is not told.",
                "Copy both again, whole. If that does not help, ask whether the client is suspended.",
            ),
            Code::UnauthorizedClient => {
                ("The client exists but may not use this grant.", "Ask for the client_credentials grant.")
            }
            Code::UnsupportedGrantType => (
                "The grant_type is not client_credentials. Tokens can't be refreshed.",
                "Send grant_type=client_credentials, and request a new token when the old one runs out.",
            ),
            Code::InvalidScope => (
                "A scope is misspelt, unknown or not granted to the client.",
                "Leave scope away to get what your client has by default, or ask for the scope to be granted.",
            ),
            Code::InvalidTarget => (
                "The resource is not the audience of an API that the client may call.",
                "Take an audience from the list of APIs, or leave resource away.",
            ),
            Code::SlowDown => (
                "Your client asked for tokens more often than it may, or the credentials were wrong too often.",
                "Wait as long as Retry-After says, and check the credentials if they were refused. Keep each token until it expires instead of asking for one for each call.",
            ),
            Code::TemporarilyUnavailable => (
                "The server is overloaded or cut off from its store.",
                "Wait as long as Retry-After says, then try again.",
            ),
            Code::ServerError => (
                "Something broke in the server; your request was not the reason.",
                "Try again; if it stays, name the X-Request-Id to the operator.",
            ),
        };
        Self { code: code.as_str(), status: failure::status(code).as_u16(), meaning, mend }
    }
}

/// No scripts, no frames, no other hosts: the page's own style is all it needs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(crate) async fn show(State(app): State<App>) -> Response {
    let config = &app.gate.config;
    let page = Page {
        title: config.docs.title.clone(),
        issuer: app.gate.issuer.as_str().to_owned(),
        origin_path: config.origin.path.clone(),
        lifetime_seconds: config.tokens.lifetime.as_secs(),
        leeway_seconds: config.tokens.leeway.as_secs(),
        apis: apis::list(&app.gate),
        errors: Code::ALL.into_iter().map(Explained::of).collect(),
    };
    match page.render() {
        Ok(html) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (CACHE_CONTROL, HeaderValue::from_static("max-age=300")),
                (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            ];
            (headers, html).into_response()
        }
        Err(error) => {
            let refusal = Code::ServerError.because(format!("the page can't be made: {error}"));
            Dress::Standard(app.gate.issuer.as_str()).refused(refusal, &HeaderMap::new())
        }
    }
}
