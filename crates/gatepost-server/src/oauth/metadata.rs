//! This file is where the authorization server's metadata are handed out (RFC 8414).

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use gatepost_operations::discovery;

use crate::state::App;

/// The metadata; nothing in the request changes them.
pub(crate) async fn show(State(app): State<App>) -> Response {
    let headers = [(CACHE_CONTROL, HeaderValue::from_static("max-age=300"))];
    (headers, Json(discovery::metadata(&app.gate))).into_response()
}
