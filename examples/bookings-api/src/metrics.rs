//! This file is where the API shows the numbers of its guard to Prometheus.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use gatepost_guard::{Guard, GuardCollector};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// The registry of this API; its own metrics would be registered here too.
pub(crate) fn registry(guard: &Guard) -> Arc<Registry> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(GuardCollector::new(guard.clone())));
    Arc::new(registry)
}

/// `GET /metrics`.
pub(crate) fn page(registry: &Registry) -> Response {
    let mut page = String::new();
    if text::encode(&mut page, registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page).into_response()
}
