//! This file is where every route of the admin listener is: probes and metrics.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gatepost_operations::telemetry::exposition::{self, OfEdge};

use crate::oauth::health;
use crate::router::{nothing_here, read};
use crate::state::App;

/// All that operators reach.
pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route("/livez", read(get(health::livez)))
        .route("/readyz", read(get(health::readyz)))
        .route("/metrics", read(get(metrics)))
        .fallback(nothing_here)
        .with_state(app)
}

/// `GET /metrics`: numbers alone, nothing about a partner or client, so it asks for no proof.
async fn metrics(State(app): State<App>) -> Response {
    let edge = OfEdge { feed_followers: app.feeds.followers(), ..app.verifiers.counted() };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(exposition::CONTENT_TYPE)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, exposition::page(&app.gate, edge)).into_response()
}
