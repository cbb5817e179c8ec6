//! This file is where every route of the public listener is, on one screen.

use axum::Router;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};

use crate::http::failure;
use crate::http::treatment::{FORWARD_AUTH, REVOCATIONS};
use crate::oauth::{docs, forward_auth, health, introspect, jwks, metadata, revocations, revoke, token};
use crate::state::App;

/// All that partners, their developers and resource servers reach.
pub(crate) fn public(app: App) -> Router {
    let origin = app.gate.config.origin.path.clone();
    let origin_with_slash = format!("{origin}/");

    Router::new()
        .route(&origin, post(token::origin).fallback(token::origin_takes_post))
        .route(&origin_with_slash, post(token::origin).fallback(token::origin_takes_post))
        .route("/oauth2/token", post(token::standard).fallback(token::standard_takes_post))
        .route("/oauth2/introspect", post(introspect::answer).fallback(token::standard_takes_post))
        .route("/oauth2/revoke", post(revoke::answer).fallback(token::standard_takes_post))
        .route(REVOCATIONS, read(get(revocations::answer)))
        .route(FORWARD_AUTH, any(forward_auth::answer))
        .route("/.well-known/oauth-authorization-server", read(get(metadata::show)))
        .route("/.well-known/jwks.json", read(get(jwks::all_apis)))
        .route("/.well-known/jwks/{file}", read(get(jwks::one_api)))
        .route("/docs", read(get(docs::show)))
        .route("/livez", read(get(health::livez)))
        .route("/readyz", read(get(health::readyz)))
        .fallback(nothing_here)
        .with_state(app)
}

/// A route that only shows something: GET and HEAD.
pub(crate) fn read(route: MethodRouter<App>) -> MethodRouter<App> {
    route.fallback(only_reading)
}

async fn only_reading(method: Method) -> Response {
    const ALLOWED: &str = "GET, HEAD";
    if method == Method::OPTIONS {
        failure::options(ALLOWED)
    } else {
        failure::method_not_allowed(&method, ALLOWED)
    }
}

pub(crate) async fn nothing_here() -> Response {
    failure::not_found()
}
