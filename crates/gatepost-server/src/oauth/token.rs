//! This file is where tokens are asked for and handed out, at both doors.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA};
use axum::response::{IntoResponse, Response};
use gatepost_operations::core::params::Door;
use gatepost_operations::tokens::{self, IssuedToken, TokenRequest};

use crate::http::facts::{LogFacts, RequestId};
use crate::http::failure;
use crate::http::limited::{self, Spelling};
use crate::http::{address, body, params, presented};
use crate::state::App;

/// `POST /api/oauth/token` and `POST /oauth2/token`.
pub(crate) async fn answer(app: &App, door: Door, request: Request) -> Response {
    let config = &app.gate.config;
    let dress = failure::dress(door, config.origin.error_style, app.gate.issuer.as_str());
    if request.method() != Method::POST {
        return failure::only("POST", request.method(), Some(dress));
    }
    let (parts, body) = request.into_parts();

    let body = match body::collect(body, config.server.body_limit).await {
        Ok(body) => body,
        Err(fault) => return dress.faulty(fault),
    };
    let params = params::read(door, &parts.headers, body).await;
    let presented = params
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|params| presented::find(door, &parts.headers, params));
    let request = TokenRequest {
        door,
        params,
        presented,
        address: address::of_request(&app.gate, &parts.headers, &parts.extensions),
        request_id: parts.extensions.get::<RequestId>().map_or_else(|| "".into(), |id| Arc::clone(&id.0)),
    };

    match tokens::issue(&app.gate, request).await {
        Ok(issued) => granted(door, issued),
        Err(refusal) => dress.refused(refusal, &parts.headers),
    }
}

fn granted(door: Door, issued: IssuedToken) -> Response {
    let scope = (door == Door::Standard && issued.scopes_differ).then(|| issued.scopes.joined());
    let text = body_of(&issued, scope.as_deref());

    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store, private")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    let facts = LogFacts {
        client_id: Some(issued.client_id.to_string()),
        jti: Some(issued.jti),
        ..LogFacts::default()
    };
    let mut response = (headers, Body::from(text)).into_response();
    let spelling = match door {
        Door::Origin => Spelling::Laravel,
        Door::Standard => Spelling::Draft,
    };
    limited::tell(response.headers_mut(), &issued.limits, spelling);
    response.extensions_mut().insert(facts);
    response
}

/// Tokens and scopes hold no character that JSON escapes, so the text is put together as it is.
fn body_of(issued: &IssuedToken, scope: Option<&str>) -> String {
    const LONGEST_REST: usize = 80;
    let length = issued.access_token.len().saturating_add(scope.map_or(0, str::len));
    let mut text = String::with_capacity(length.saturating_add(LONGEST_REST));
    text.push_str(r#"{"token_type":"Bearer","expires_in":"#);
    text.push_str(&issued.expires_in.to_string());
    text.push_str(r#","access_token":""#);
    text.push_str(&issued.access_token);
    if let Some(scope) = scope {
        text.push_str(r#"","scope":""#);
        text.push_str(scope);
    }
    text.push_str(r#""}"#);
    text
}
