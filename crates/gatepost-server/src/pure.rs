//! This file is where benches reach what reads requests, which nobody else may.
//!
//! The feature `testing` alone builds it.

use axum::http::HeaderMap;
use bytes::Bytes;
use gatepost_operations::core::params::Door;

use crate::connections::head::{HeadScan, Scanned, framing};
use crate::http::params;

/// Whether this is the whole head of one request, read as the head filter reads it.
pub fn is_head(bytes: &[u8]) -> bool {
    let scanned = HeadScan::default().look(bytes, bytes.len().saturating_add(1));
    let Ok(Scanned::Head(length)) = scanned else { return false };
    bytes.get(..length).is_some_and(|head| framing(head, 100).is_ok())
}

/// Whether the parameters of this body can be read at the standard door.
pub async fn has_params(headers: &HeaderMap, body: Bytes) -> bool {
    params::read(Door::Standard, headers, body).await.is_ok()
}
