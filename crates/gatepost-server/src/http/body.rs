//! This file is where a request's body is collected, within the limit.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// Why a body could not be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is over the limit.
    TooLarge,
    /// It ended early or is malformed.
    Cut,
}

/// The whole body, if it is no longer than `limit` bytes.
pub(crate) async fn collect(body: Body, limit: usize) -> Result<Bytes, Broken> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_too_large(&*error) => Err(Broken::TooLarge),
        Err(_) => Err(Broken::Cut),
    }
}

/// A layer further out may have limited the body too, so the cause can stand deeper in the chain.
fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
