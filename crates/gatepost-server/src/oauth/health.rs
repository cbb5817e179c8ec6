//! This file is where probes are answered: alive means that this code runs, ready means that tokens can be issued.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use gatepost_operations::status;
use serde_json::json;

use crate::state::App;

/// Alive: needs nothing but a worker.
pub(crate) async fn livez() -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(json!({ "status": "ok" }))).into_response()
}

/// Ready: store and keys are there and the server is not stopping.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let readiness = status::readiness(&app.gate);
    let stopping = app.is_stopping();
    let ready = readiness.is_ready() && !stopping;

    let body = json!({
        "status": if ready { "ready" } else { "not ready" },
        "checks": { "store": readiness.store, "keys": readiness.keys, "stopping": stopping },
    });
    let answer = ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body));
    if ready {
        return answer.into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, HeaderValue::from_static("1"))], answer).into_response()
}
