//! This file is where every request passes on its way to its handler, and every answer on its way back.
//!
//! From the outside in: request id, one log line, panics, protocol, body (limit and time), time of
//! the answer, handler; on the way back the security headers.
//! The order is the story of [`Edge::answer`]: what is further out sees what happens further in,
//! so each answer has an id and a line, whoever made it.
//! A handler only ever sees a whole body within the limit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use gatepost_operations::telemetry::metrics::Metrics;
use http::header::{CONTENT_ENCODING, SERVER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::facts::{LogFacts, RequestId};
use super::failure;
use super::fault::Fault;
use super::limits::Limits;
use super::malformed::Malformed;
use super::treatment::Treatment;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer paths are cut in the log.
const LONGEST_PATH: usize = 200;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes request ids: UUIDs of version 7 as text.
pub type RequestIds = Arc<dyn Fn() -> Arc<str> + Send + Sync>;

/// The layers around a router; cheap to clone.
#[derive(Clone)]
pub struct Edge {
    router: Router,
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    request_ids: RequestIds,
}

impl Edge {
    /// Puts the layers around that router.
    pub fn new(router: Router, limits: Arc<Limits>, metrics: Arc<Metrics>, request_ids: RequestIds) -> Self {
        Self { router, limits, metrics, request_ids }
    }

    /// Answers one request.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let began = Instant::now();
        let id = RequestId((self.request_ids)());
        request.extensions_mut().insert(id.clone());
        let line = Line::of(&request);
        let (version, treatment) = (request.version(), Treatment::of(request.uri().path()));

        let handled = AssertUnwindSafe(self.handle(request)).catch_unwind().await;
        let answered = handled.unwrap_or(Err(Fault::Panicked));
        let mut response = answered.unwrap_or_else(|fault| self.faulty(fault, version, treatment, &id));

        dress(&mut response, &id);
        line.write(&response, &id, began);
        response
    }

    /// Everything inside the catching of panics.
    async fn handle<B>(&self, request: Request<B>) -> Result<Response, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let treatment = Treatment::of(request.uri().path());
        protocol(&request, treatment)?;
        let (parts, body) = request.into_parts();
        let body = match treatment {
            Treatment::Ordinary | Treatment::Waiting => self.whole(body).await?,
            Treatment::Verdict => Bytes::new(),
        };
        let request = Request::from_parts(parts, Body::from(body));

        let answer = self.router.clone().oneshot(request);
        match timeout(treatment.patience(self.limits.request_timeout), answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(never)) => match never {},
            Err(_) => Err(Fault::Overdue),
        }
    }

    /// The whole body, if it comes in time and is no larger than allowed.
    async fn whole<B>(&self, body: B) -> Result<Bytes, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        // A length that is announced is believed before anything is read: no `100 Continue` is sent then.
        if body.size_hint().lower() > self.limits.body as u64 {
            return Err(Fault::BodyTooLarge);
        }
        let body = Limited::new(body, self.limits.body).collect();
        match timeout(self.limits.request_timeout, body).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::BodyTooLarge),
            Ok(Err(_)) => Err(Fault::BodyCut),
            Err(_) => Err(Fault::BodyTooSlow),
        }
    }

    fn faulty(&self, fault: Fault, version: Version, treatment: Treatment, id: &RequestId) -> Response {
        match fault {
            Fault::Panicked => {
                self.metrics.panicked();
                tracing::error!(request_id = %id.0, "a handler panicked; its caller got a 500");
            }
            Fault::Malformed(Malformed::HeadTooSlow) | Fault::BodyTooSlow | Fault::Overdue => {
                self.metrics.timed_out();
            }
            Fault::Malformed(_) | Fault::BodyCut => self.metrics.malformed(),
            Fault::Method | Fault::ContentEncoding | Fault::BodyTooLarge => {}
        }
        let mut response = match (fault, treatment) {
            (Fault::Malformed(_), _) | (_, Treatment::Ordinary | Treatment::Waiting) => fault.answer(version),
            // What could be read gets a verdict, whatever went wrong with it afterwards.
            (_, Treatment::Verdict) => failure::denied(),
        };
        let facts = LogFacts {
            refusal: Some(fault.code()),
            reason: Some(fault.description().to_owned()),
            ..LogFacts::default()
        };
        response.extensions_mut().insert(facts);
        response
    }
}

/// What is wrong with the request before its body is read.
fn protocol<B>(request: &Request<B>, treatment: Treatment) -> Result<(), Fault> {
    if let Some(why) = request.extensions().get::<Malformed>() {
        return Err(Fault::Malformed(*why));
    }
    if request.version() == Version::HTTP_2 && !names_one_host(request) {
        return Err(Fault::Malformed(Malformed::Host));
    }
    if treatment == Treatment::Verdict {
        return Ok(());
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Fault::Method);
    }
    if is_encoded(request.headers()) {
        return Err(Fault::ContentEncoding);
    }
    Ok(())
}

/// RFC 9113 section 8.3.1: `:authority` and `host` must not name two hosts. HTTP/1 was checked at the gate.
fn names_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(http::header::HOST).into_iter();
    match (request.uri().authority(), hosts.next(), hosts.next()) {
        (_, _, Some(_)) | (None, None, None) => false,
        (Some(authority), Some(host), None) => {
            host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
        }
        (Some(_), None, None) | (None, Some(_), None) => true,
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .into_iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The headers of every answer.
fn dress(response: &mut Response, id: &RequestId) {
    let headers = response.headers_mut();
    headers.remove(SERVER);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A UUID is always a header value; if ids ever were not, the answer goes out without.
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// The log line of a request, begun before the request is given away.
struct Line {
    method: Option<Method>,
    path: String,
}

impl Line {
    fn of<B>(request: &Request<B>) -> Self {
        if request.extensions().get::<Malformed>().is_some() {
            return Self { method: None, path: String::new() };
        }
        let path = request.uri().path();
        let path = path.get(..LONGEST_PATH.min(path.len())).unwrap_or_default().to_owned();
        Self { method: Some(request.method().clone()), path }
    }

    /// Writes the line. The query never is in it, and neither is a path that is none of ours:
    /// people paste secrets in the strangest places.
    fn write(self, response: &Response, id: &RequestId, began: Instant) {
        let status = response.status().as_u16();
        let facts = response.extensions().get::<LogFacts>().cloned().unwrap_or_default();
        let ours = status != 404 && !self.path.is_empty();
        tracing::info!(
            request_id = %id.0,
            method = self.method.as_ref().map_or("-", Method::as_str),
            route = if ours { self.path.as_str() } else { "-" },
            status,
            ms = (began.elapsed().as_micros() as f64) / 1000.0,
            client_id = facts.client_id.as_deref(),
            jti = facts.jti.as_deref(),
            refusal = facts.refusal,
            reason = facts.reason.as_deref(),
            "request"
        );
    }
}
