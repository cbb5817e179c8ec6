//! This file is where requests that never get as far as a door are answered: what HTTP itself finds wrong with them.
//!
//! What the doors refuse is in [`failure`](super::failure); here it is not known yet which door was meant.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode, Version};
use serde_json::json;

use super::malformed::Malformed;

/// Why a request is answered before, or instead of, its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes are no proper request.
    Malformed(Malformed),
    /// The method is one that no endpoint has, such as CONNECT and TRACE.
    Method,
    /// The body is compressed; it is not unpacked, so no bomb goes off.
    ContentEncoding,
    /// The body is over the limit.
    BodyTooLarge,
    /// The body took too long to arrive.
    BodyTooSlow,
    /// The body ended early or is malformed.
    BodyCut,
    /// The answer took too long to be made.
    Overdue,
    /// The handler panicked.
    Panicked,
}

impl Fault {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Malformed(why) => malformed_status(why),
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyCut => StatusCode::BAD_REQUEST,
            Self::Overdue => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code, in the words of RFC 6749, which most callers read.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Overdue => "temporarily_unavailable",
            Self::Panicked => "server_error",
            Self::Malformed(_)
            | Self::Method
            | Self::ContentEncoding
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::BodyCut => "invalid_request",
        }
    }

    /// What is wrong and how to mend it; nothing of the request is in it.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Malformed(why) => why.why(),
            Self::Method => "no endpoint has this method",
            Self::ContentEncoding => "request bodies must not be compressed; leave out Content-Encoding",
            Self::BodyTooLarge => "the request body is too large",
            Self::BodyTooSlow => "the request body took too long to arrive",
            Self::BodyCut => "the request body ended early or is malformed",
            Self::Overdue => "the server is too busy to answer; try again shortly",
            Self::Panicked => {
                "the server met an unexpected condition; its log tells more under the request id"
            }
        }
    }

    /// The answer to a request of that HTTP version.
    pub(super) fn answer(self, version: Version) -> Response {
        let body = json!({ "error": self.code(), "error_description": self.description() }).to_string();
        let mut response = (self.status(), Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Self::Method {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        if self == Self::Overdue {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // Bytes of this request may still be on their way: they must not be read as the next one.
        if self.ends_connection() && version <= Version::HTTP_11 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn ends_connection(self) -> bool {
        match self {
            Self::Malformed(_) | Self::Method | Self::BodyTooLarge | Self::BodyTooSlow | Self::BodyCut => {
                true
            }
            Self::ContentEncoding | Self::Overdue | Self::Panicked => false,
        }
    }
}

fn malformed_status(why: Malformed) -> StatusCode {
    match why {
        Malformed::UriTooLong => StatusCode::URI_TOO_LONG,
        Malformed::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Malformed::HeadTooSlow => StatusCode::REQUEST_TIMEOUT,
        Malformed::ControlCharacter
        | Malformed::RequestLine
        | Malformed::Version
        | Malformed::HeaderLine
        | Malformed::FoldedHeader
        | Malformed::Host
        | Malformed::ContentLength
        | Malformed::TransferEncoding
        | Malformed::TwoLengths
        | Malformed::Chunk => StatusCode::BAD_REQUEST,
    }
}
