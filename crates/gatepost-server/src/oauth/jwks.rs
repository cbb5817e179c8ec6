//! This file is where key sets are handed out (RFC 7517 section 5); they were written when the keys changed, not now.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use gatepost_operations::key_ring::Document;

use crate::http::{cached, failure};
use crate::state::App;

/// The keys of all APIs whose tokens name their key.
pub(crate) async fn all_apis(State(app): State<App>, headers: HeaderMap) -> Response {
    sent(app.gate.ring().named(), &headers)
}

/// The keys of one API, by its name and `.json`; `?all=1` asks for all that verify. Nothing else in a query matters.
pub(crate) async fn one_api(
    State(app): State<App>,
    file: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // A path that is no text names no API: it is not found like any other, in JSON.
    let Ok(Path(file)) = file else {
        return failure::not_found();
    };
    let query = query.unwrap_or_default();
    let all = form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "all" && value == "1");
    match file.strip_suffix(".json").and_then(|name| app.gate.ring().document(name, all).cloned()) {
        Some(document) => sent(&document, &headers),
        None => failure::not_found(),
    }
}

fn sent(document: &Document, headers: &HeaderMap) -> Response {
    cached::answer(headers, &document.etag, "application/json", document.body.to_string())
}
