//! This file is where every request passes on its way to its handler, and every answer on its way back.
//!
//! From the outside in: request id, one log line, panics, protocol, bounds around the body, time of
//! the answer, handler; on the way back the security headers.
//! The order is the story of [`Edge::answer`]: what is further out sees what happens further in,
//! so each answer has an id and a line, whoever made it.
//! A body is read only when a handler asks for it ([`body`](crate::http::body)): the method is judged before it.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::BoxError;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use gatepost_operations::telemetry::metrics::Metrics;
use http::header::{CONNECTION, SERVER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, Request, Version};
use tokio::time::timeout_at;

use crate::http::body::Intake;
use crate::http::bounds::Bounds;
use crate::http::facts::{LogFacts, RequestId};
use crate::http::failure;
use crate::http::fault::Fault;
use crate::http::found_route::FoundRoute;
use crate::http::malformed::Malformed;
use crate::http::treatment::Treatment;
use crate::router::{Routes, Way};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes request ids: UUIDs of version 7 as text.
pub type RequestIds = Arc<dyn Fn() -> Arc<str> + Send + Sync>;

/// The layers around a router; cheap to clone.
#[derive(Clone)]
pub struct Edge {
    routes: Routes,
    bounds: Arc<Bounds>,
    metrics: Arc<Metrics>,
    request_ids: RequestIds,
}

impl Edge {
    /// Puts the layers around those routes.
    pub fn new(
        routes: impl Into<Routes>,
        bounds: Arc<Bounds>,
        metrics: Arc<Metrics>,
        request_ids: RequestIds,
    ) -> Self {
        Self { routes: routes.into(), bounds, metrics, request_ids }
    }

    /// Answers one request.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let began = Instant::now();
        let id = RequestId((self.request_ids)());
        let way = self.routes.way(request.uri().path());
        let mut line = Line::of(&request, way, Begun { id: id.clone(), at: began, metrics: &self.metrics });
        request.extensions_mut().insert(id.clone());
        if let Route::ToBeFound(found) = &line.route {
            request.extensions_mut().insert(found.clone());
        }
        let (version, treatment) = (request.version(), Treatment::of(request.uri().path()));

        let handled = AssertUnwindSafe(self.handle(request, (way, treatment))).catch_unwind().await;
        let answered = handled.unwrap_or(Err(Fault::Panicked));
        let mut response = answered.unwrap_or_else(|fault| faulty(fault, treatment));

        if let Some(fault) = response.extensions().get::<Fault>().copied() {
            self.count(fault, &id);
            if fault.ends_connection() && version <= Version::HTTP_11 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        add_headers(&mut response, &id);
        line.write(&mut response);
        response
    }

    /// Everything inside the catching of panics.
    async fn handle<B>(
        &self,
        request: Request<B>,
        (way, treatment): (Way<'_>, Treatment),
    ) -> Result<Response, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        protocol(&request, treatment)?;
        let (request, intake) = Intake::around(request, &self.bounds);

        let began = Instant::now();
        let usual = self.bounds.request_timeout;
        let due = || intake.due(began, usual, treatment.patience(usual));
        let mut answer = pin!(way.answer(request));
        let response = loop {
            let until = due();
            match timeout_at(until.into(), answer.as_mut()).await {
                Ok(response) => break response,
                // A body has come meanwhile, which has time of its own.
                Err(_) if due() > until => {}
                Err(_) => return Err(Fault::Overdue),
            }
        };
        match intake.fault() {
            // A handler that does not know of the fault has answered something else.
            Some(fault) if response.extensions().get::<Fault>().is_none() => Err(fault),
            Some(_) | None => Ok(response),
        }
    }

    fn count(&self, fault: Fault, id: &RequestId) {
        match fault {
            Fault::Panicked => {
                self.metrics.panicked();
                tracing::error!(request_id = %id.0, "a handler panicked; its caller got a 500");
            }
            Fault::Malformed(Malformed::HeadTooSlow) | Fault::BodyTooSlow | Fault::Overdue => {
                self.metrics.timed_out();
            }
            Fault::Malformed(_) | Fault::BodyCut => self.metrics.malformed(),
            Fault::Method | Fault::ContentEncoding | Fault::BodyTooLarge | Fault::NoRoom => {}
        }
    }
}

/// The answer to a request that no handler has answered.
fn faulty(fault: Fault, treatment: Treatment) -> Response {
    match (fault, treatment) {
        (Fault::Malformed(_), _) | (_, Treatment::Ordinary | Treatment::Waiting) => fault.answer(),
        // What could be read gets a verdict, whatever went wrong with it afterwards.
        (_, Treatment::Verdict) => {
            let mut response = failure::denied();
            fault.note_in(&mut response);
            response
        }
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
    Ok(())
}

/// RFC 9113 section 8.3.1: `:authority` and `host` must not name two hosts. HTTP/1 was checked by the head filter.
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

/// The headers of every answer.
fn add_headers(response: &mut Response, id: &RequestId) {
    let headers = response.headers_mut();
    headers.remove(SERVER);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A UUID is always a header value; if ids ever were not, the answer goes out without.
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// The route of a request, as the router writes it.
enum Route<'a> {
    /// It is known from the path.
    Known(&'a str),
    /// axum finds it, if there is one.
    ToBeFound(FoundRoute),
}

impl Route<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Known(route) => route,
            Self::ToBeFound(found) => found.route().unwrap_or("-"),
        }
    }
}

/// The log line of a request, begun before the request is given away; dropped unwritten it says that the request was.
///
/// Nothing that the caller wrote gets into it: people paste secrets in the strangest places, paths and methods among them.
struct Line<'a> {
    method: &'static str,
    route: Route<'a>,
    begun: Begun<'a>,
    is_written: bool,
}

/// A request that has begun.
struct Begun<'a> {
    id: RequestId,
    at: Instant,
    metrics: &'a Metrics,
}

impl<'a> Line<'a> {
    fn of<B>(request: &Request<B>, way: Way<'a>, begun: Begun<'a>) -> Self {
        let is_stand_in = request.extensions().get::<Malformed>().is_some();
        let method = if is_stand_in { "-" } else { registered(request.method()) };
        let route = match way {
            Way::Straight(route, _) => Route::Known(route),
            Way::Others(_) => Route::ToBeFound(FoundRoute::default()),
        };
        Self { method, route, begun, is_written: false }
    }

    fn write(&mut self, response: &mut Response) {
        self.is_written = true;
        let facts = response.extensions_mut().remove::<LogFacts>().unwrap_or_default();
        tracing::info!(
            request_id = %self.begun.id.0,
            method = self.method,
            route = self.route.as_str(),
            status = response.status().as_u16(),
            ms = self.begun.ms(),
            client_id = facts.client_id.as_deref(),
            jti = facts.jti.as_deref(),
            refusal = facts.refusal,
            reason = facts.reason.as_deref(),
            "request"
        );
    }
}

impl Begun<'_> {
    /// The milliseconds since then.
    fn ms(&self) -> f64 {
        (self.at.elapsed().as_micros() as f64) / 1000.0
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.is_written {
            return;
        }
        self.begun.metrics.given_up();
        tracing::info!(
            request_id = %self.begun.id.0,
            method = self.method,
            route = self.route.as_str(),
            ms = self.begun.ms(),
            "request given up"
        );
    }
}

/// The method, if it is one of RFC 9110 section 9 or RFC 5789.
fn registered(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "-",
    }
}
