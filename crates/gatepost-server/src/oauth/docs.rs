//! This file is where the page is made that a partner's developer reads: how to authenticate here, with this server's
//! own address, scopes and lifetimes.

use askama::Template;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use gatepost_operations::apis::{self, ApiView};

use crate::http::failure;
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
    errors: &'static [Explained],
}

/// An error code in plain words.
struct Explained {
    code: &'static str,
    status: u16,
    meaning: &'static str,
    mend: &'static str,
}

const ERRORS: &[Explained] = &[
    Explained {
        code: "invalid_request",
        status: 400,
        meaning: "A parameter is missing, repeated or malformed, or two ways of authenticating were used.",
        mend: "Compare your request with the example; send each parameter once.",
    },
    Explained {
        code: "invalid_client",
        status: 401,
        meaning: "The Client ID and Client Secret were not accepted; which of the two is wrong is not told.",
        mend: "Copy both again, whole. If that does not help, ask whether the client is suspended.",
    },
    Explained {
        code: "unauthorized_client",
        status: 400,
        meaning: "The client exists but may not use this grant.",
        mend: "Ask for the client_credentials grant.",
    },
    Explained {
        code: "unsupported_grant_type",
        status: 400,
        meaning: "The grant_type is not client_credentials. Tokens can't be refreshed.",
        mend: "Send grant_type=client_credentials, and request a new token when the old one runs out.",
    },
    Explained {
        code: "invalid_scope",
        status: 400,
        meaning: "A scope is misspelt, unknown or not granted to the client.",
        mend: "Leave scope away to get what your client has by default, or ask for the scope to be granted.",
    },
    Explained {
        code: "invalid_target",
        status: 400,
        meaning: "The resource is not the audience of an API that the client may call.",
        mend: "Take an audience from the list of APIs, or leave resource away.",
    },
    Explained {
        code: "temporarily_unavailable",
        status: 503,
        meaning: "The server is overloaded or cut off from its store.",
        mend: "Wait as long as Retry-After says, then try again.",
    },
    Explained {
        code: "server_error",
        status: 500,
        meaning: "Something broke in the server; your request was not the reason.",
        mend: "Try again; if it stays, name the X-Request-Id to the operator.",
    },
];

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
        errors: ERRORS,
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
        Err(_) => failure::not_found(),
    }
}
