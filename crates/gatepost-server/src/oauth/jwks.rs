//! This file is where key sets are handed out (RFC 7517 section 5); they were written when the keys changed, not now.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use gatepost_operations::key_ring::Document;
use serde::Deserialize;

use crate::http::{cached, failure};
use crate::state::App;

/// The keys of all APIs whose tokens name their key.
pub(crate) async fn all_apis(State(app): State<App>, headers: HeaderMap) -> Response {
    sent(app.gate.ring().named(), &headers)
}

#[derive(Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    all: Option<String>,
}

/// The keys of one API, by its name and `.json`.
pub(crate) async fn one_api(
    State(app): State<App>,
    Path(file): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    let name = file.strip_suffix(".json");
    let all = which.all.as_deref() == Some("1");
    match name.and_then(|name| app.gate.ring().document(name, all).cloned()) {
        Some(document) => sent(&document, &headers),
        None => failure::not_found(),
    }
}

fn sent(document: &Document, headers: &HeaderMap) -> Response {
    cached::answer(headers, &document.etag, "application/json", document.body.to_string())
}
