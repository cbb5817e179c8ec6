//! This file is where answers that others may keep are sent: with an entity tag, and without a body where it is known.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// How long key sets and metadata may be kept; `keys.publish_ahead` is longer.
const KEEP: HeaderValue = HeaderValue::from_static("max-age=300");

/// The body, or 304 when the caller has it already (RFC 9110 section 13.1.2).
pub(crate) fn answer(request: &HeaderMap, etag: &str, content_type: &'static str, body: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, KEEP);
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    if is_known(request, etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    (headers, body).into_response()
}

/// Whether the caller names that tag among what it has.
pub(crate) fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|text| text.split(','));
    tags.any(|tag| matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == etag)
}
