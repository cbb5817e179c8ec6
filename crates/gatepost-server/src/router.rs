//! This file is where every route of the public listener is, on one screen.
//!
//! Three of them are asked all the time: tokens at both doors, and the questions of proxies. They are called straight;
//! axum would answer them from three boxes, one in the other, each made for the request. All others it routes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{CONTENT_LENGTH, HeaderValue};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use gatepost_operations::core::params::Door;
use tower::ServiceExt as _;

use crate::http::failure::{self, Dress};
use crate::http::found_route::NoteRoute;
use crate::http::treatment::{FORWARD_AUTH, REVOCATIONS};
use crate::oauth::{docs, forward_auth, health, introspect, jwks, metadata, revocations, revoke, token};
use crate::state::App;

/// All that partners, their developers and resource servers reach.
pub(crate) fn public(app: App) -> Routes {
    let origin = app.gate.config.origin.path.clone();
    let routes = [
        (format!("{origin}/"), Straight::Token(Door::Origin)),
        (origin, Straight::Token(Door::Origin)),
        ("/oauth2/token".to_owned(), Straight::Token(Door::Standard)),
        (FORWARD_AUTH.to_owned(), Straight::ForwardAuth),
    ];

    let others = Router::new()
        .route("/oauth2/introspect", proven(post(introspect::answer)))
        .route("/oauth2/revoke", proven(post(revoke::answer)))
        .route(REVOCATIONS, read(get(revocations::answer)))
        .route("/.well-known/oauth-authorization-server", read(get(metadata::show)))
        .route("/.well-known/jwks.json", read(get(jwks::all_apis)))
        .route("/.well-known/jwks/{file}", read(get(jwks::one_api)))
        .route("/docs", read(get(docs::show)))
        .route("/livez", read(get(health::livez)))
        .route("/readyz", read(get(health::readyz)))
        .fallback(nothing_here)
        .with_state(app.clone());
    Routes { straight: Some(Arc::new(Table { app, routes })), others: others.layer(NoteRoute) }
}

/// A route that only shows something: GET and HEAD.
pub(crate) fn read(route: MethodRouter<App>) -> MethodRouter<App> {
    route.fallback(only_reading)
}

async fn only_reading(method: Method) -> Response {
    failure::only("GET, HEAD", &method, None)
}

/// A route where a client or an API proves itself as at the standard door: POST alone.
fn proven(route: MethodRouter<App>) -> MethodRouter<App> {
    route.fallback(only_posting)
}

async fn only_posting(State(app): State<App>, method: Method) -> Response {
    failure::only("POST", &method, Some(Dress::Standard(app.gate.issuer.as_str())))
}

pub(crate) async fn nothing_here() -> Response {
    failure::not_found()
}

/// The routes of a listener; cheap to clone.
#[derive(Clone)]
pub struct Routes {
    straight: Option<Arc<Table>>,
    others: Router,
}

/// The routes that are called straight.
struct Table {
    app: App,
    routes: [(String, Straight); 4],
}

/// What is called straight.
#[derive(Clone, Copy)]
enum Straight {
    Token(Door),
    ForwardAuth,
}

/// Where a path leads.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// Straight to a handler, by the route of that name.
    Straight(&'a str, To<'a>),
    /// To axum, which finds the route.
    Others(&'a Router),
}

/// A handler that is called straight, with what it needs.
#[derive(Clone, Copy)]
pub(crate) struct To<'a>(&'a App, Straight);

impl From<Router> for Routes {
    fn from(others: Router) -> Self {
        Self { straight: None, others: others.layer(NoteRoute) }
    }
}

impl Routes {
    /// Where that path leads.
    pub(crate) fn way(&self, path: &str) -> Way<'_> {
        let found = self.straight.as_deref().and_then(|Table { app, routes }| {
            let (route, to) = routes.iter().find(|(route, _)| route == path)?;
            Some(Way::Straight(route, To(app, *to)))
        });
        found.unwrap_or(Way::Others(&self.others))
    }
}

impl Way<'_> {
    /// Answers a request whose path led here.
    pub(crate) async fn answer(self, request: Request) -> Response {
        let to = match self {
            Self::Straight(_, to) => to,
            Self::Others(router) => {
                let Ok(response) = router.clone().oneshot(request).await;
                return response;
            }
        };
        let is_head = request.method() == Method::HEAD;
        let response = to.answer(request).await;
        if is_head { without_body(response) } else { response }
    }
}

impl To<'_> {
    async fn answer(self, request: Request) -> Response {
        let Self(app, to) = self;
        match to {
            Straight::ForwardAuth => forward_auth::answer(app, request).await,
            Straight::Token(door) => token::answer(app, door, request).await,
        }
    }
}

/// What HEAD gets: all headers of the answer, and nothing behind them (RFC 9110 section 9.3.2).
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}
