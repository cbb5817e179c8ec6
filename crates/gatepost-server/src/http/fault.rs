//! This file is where what HTTP itself finds wrong with requests becomes statuses, and answers in nobody's dress.
//!
//! What the doors refuse is in [`failure`](super::failure); here it is mostly not known yet which door was meant.
//! A door that asked for a body and got a fault dresses it itself; the status is from here all the same.

use std::error::Error;
use std::fmt;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use gatepost_operations::core::refusal::Code;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::facts::LogFacts;
use super::malformed::Malformed;

/// Why a request is answered before, or instead of, its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
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
    /// The bodies of others fill the memory that is set aside for them.
    NoRoom,
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
            Self::NoRoom | Self::Overdue => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code, in the words of RFC 6749, which most callers read.
    pub(super) fn code(self) -> Code {
        match self {
            Self::NoRoom | Self::Overdue => Code::TemporarilyUnavailable,
            Self::Panicked => Code::ServerError,
            Self::Malformed(_)
            | Self::Method
            | Self::ContentEncoding
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::BodyCut => Code::InvalidRequest,
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
            Self::NoRoom => "the server takes in too many bodies just now; try again shortly",
            Self::Overdue => "the server is too busy to answer; try again shortly",
            Self::Panicked => {
                "the server met an unexpected condition; its log tells more under the request id"
            }
        }
    }

    /// The answer in nobody's dress.
    pub(crate) fn answer(self) -> Response {
        let body =
            json!({ "error": self.code().as_str(), "error_description": self.description() }).to_string();
        let mut response = (self.status(), Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Self::Method {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        if self.code() == Code::TemporarilyUnavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        self.note_in(&mut response);
        response
    }

    /// Lets the layers and the log know what the answer is about.
    pub(crate) fn note_in(self, response: &mut Response) {
        let facts = LogFacts {
            refusal: Some(self.code().as_str()),
            reason: Some(self.description().to_owned()),
            ..LogFacts::default()
        };
        response.extensions_mut().insert(self);
        response.extensions_mut().insert(facts);
    }

    /// The fault that made reading a body fail; without one it was cut off.
    pub(super) fn behind(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return *fault;
            }
            cause = error.source();
        }
        Self::BodyCut
    }

    /// Whether bytes of this request may still be on their way: they must not be read as the next one.
    pub(crate) fn ends_connection(self) -> bool {
        match self {
            Self::Malformed(_)
            | Self::Method
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::BodyCut
            | Self::NoRoom => true,
            Self::ContentEncoding | Self::Overdue | Self::Panicked => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str((*self).description())
    }
}

impl Error for Fault {}

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
