//! This file is where one connection is served, from its first byte, behind TLS where there is any, to its last.
//!
//! hyper speaks HTTP/1.1 and HTTP/2 on it, behind the [`HeadFilter`]; this loop keeps the time
//! ([`Progress`]) and listens for the end of the server.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use gatepost_operations::telemetry::metrics::Metrics;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Sleep;

use super::head_filter::HeadFilter;
use super::progress::{Due, Progress};
use super::roster::Place;
use crate::http::bounds::Bounds;
use crate::http::facts::Peer;
use crate::http::room::{OfConnection, Room};
use crate::layers::Edge;

/// Streams of one HTTP/2 connection at a time: as many as clients open before they are told (RFC 9113, section 6.5.2).
const H2_STREAMS: u32 = 100;
/// Streams the peer may reset before they are taken up (CVE-2023-44487).
const H2_PENDING_RESETS: usize = 20;
/// Streams that may be reset for the peer's errors (CVE-2025-8671).
const H2_ERROR_RESETS: usize = 128;
/// What one stream may send ahead, before a handler asks for it: most bodies whole.
const H2_STREAM_WINDOW: u32 = 16 << 10;
/// What all streams together may send ahead: the protocol's own default.
const H2_CONNECTION_WINDOW: u32 = 65_535;
/// What may be held of one connection's bodies, if the largest request fits in it.
const ROOM: usize = 256 << 10;
/// The least that hyper can work with.
const LEAST_BUFFER: usize = 64 << 10;
/// How long a connection that is told to close may take to do so.
const CLOSING: Duration = Duration::from_secs(5);
/// How long a connection that has asked nothing is listened to when the server ends.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// How long a connection that makes room for another is listened to: its request may be on its way, or lie in the socket.
const HEARING: Duration = Duration::from_millis(50);

/// How far the end of the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Serving.
    Open,
    /// No new connections; those that are open finish what they have begun.
    Draining,
    /// The time for that is over.
    Cut,
}

/// What all connections of a listener share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) edge: Edge,
    pub(super) bounds: Arc<Bounds>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) builder: Builder<TokioExecutor>,
}

impl Shared {
    pub(super) fn new(edge: Edge, bounds: Arc<Bounds>, metrics: Arc<Metrics>) -> Self {
        let builder = builder(&bounds);
        Self { edge, bounds, metrics, builder }
    }
}

fn builder(bounds: &Bounds) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The filter counts and times heads; here is only what hyper needs not to be stricter than the filter.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(bounds.head.saturating_mul(2).max(LEAST_BUFFER));
    if bounds.headers > 100 {
        // hyper's own limit; more than it costs an allocation a request.
        builder.http1().max_headers(bounds.headers);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS)
        .max_pending_accept_reset_streams(H2_PENDING_RESETS)
        .max_local_error_reset_streams(H2_ERROR_RESETS)
        .initial_stream_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(bounds.head).unwrap_or(u32::MAX));
    builder
}

/// Serves the connection until it ends, is too long without progress, or the server ends.
pub(super) async fn serve<S>(
    stream: S,
    peer: SocketAddr,
    place: &Place,
    shared: &Shared,
    mut stage: watch::Receiver<Stage>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let progress = place.progress();
    let filter = HeadFilter::new(stream, Arc::clone(progress), Arc::clone(&shared.bounds));
    let own = Room::of(shared.bounds.least_room().max(ROOM));
    let origin = Origin { peer, room: OfConnection { own, peer: place.room().cloned() } };
    let service = service_fn(|request| answer(request, &origin, shared.edge.clone(), progress));
    let mut connection = pin!(shared.builder.serve_connection(TokioIo::new(filter), service));
    let mut timer = pin!(tokio::time::sleep_until(progress.due(&shared.bounds).0.into()));
    let mut course = match *stage.borrow_and_update() {
        Stage::Open => Course::Open,
        Stage::Draining => last_request(progress),
        Stage::Cut => return,
    };
    loop {
        let step = tokio::select! {
            // Bytes that are there already are served before the end of the server is heard of.
            biased;
            // What went wrong on the wire is the peer's affair; requests have their lines already.
            _ = connection.as_mut() => return,
            step = until_due(course, progress, &shared.bounds, timer.as_mut()) => step,
            () = place.wanted(), if matches!(course, Course::Open) => {
                progress.expect_no_more();
                course = Course::MakingRoom { since: Instant::now(), begun: progress.begun() };
                continue;
            }
            changed = stage.changed() => match *stage.borrow_and_update() {
                Stage::Draining if changed.is_ok() => {
                    course = last_request(progress);
                    continue;
                }
                Stage::Open if changed.is_ok() => continue,
                // Cut, or the listener is gone altogether.
                Stage::Open | Stage::Draining | Stage::Cut => Step::Leave,
            },
        };
        match step {
            Step::ExpireHead => progress.expire_head(),
            Step::Tell => {
                connection.as_mut().graceful_shutdown();
                course = Course::Told(Instant::now());
            }
            Step::Leave => return,
        }
    }
}

fn last_request(progress: &Progress) -> Course {
    progress.expect_no_more();
    Course::LastRequest(Instant::now())
}

/// How far a connection is on its way out.
#[derive(Clone, Copy)]
enum Course {
    /// Not at all.
    Open,
    /// The server ends. A connection that has asked nothing yet may ask once: its request is on its way, perhaps.
    LastRequest(Instant),
    /// Somebody needs its place, when so many requests had begun. What it asks before it hears so is answered.
    MakingRoom { since: Instant, begun: u64 },
    /// It was told to finish.
    Told(Instant),
}

/// What the loop does when something is due.
#[derive(Clone, Copy)]
enum Step {
    /// Have the incomplete head answered.
    ExpireHead,
    /// Tell the connection to finish what it has begun.
    Tell,
    /// Give the connection up.
    Leave,
}

/// Waits until something is due, which moves with every byte: so it is asked again whenever the connection was polled.
async fn until_due(course: Course, progress: &Progress, bounds: &Bounds, mut timer: Pin<&mut Sleep>) -> Step {
    poll_fn(|cx| {
        loop {
            let (due, step) = next_step(course, progress, bounds);
            if due <= Instant::now() {
                return Poll::Ready(step);
            }
            let due = due.into();
            if timer.is_elapsed() || due < timer.deadline() {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
        }
    })
    .await
}

fn next_step(course: Course, progress: &Progress, bounds: &Bounds) -> (Instant, Step) {
    match course {
        Course::LastRequest(since) if progress.begun() > 0 => (since, Step::Tell),
        Course::LastRequest(since) => (since + FIRST_REQUEST, Step::Leave),
        Course::MakingRoom { since, begun } if progress.is_busy() || progress.begun() > begun => {
            (since, Step::Tell)
        }
        Course::MakingRoom { since, .. } => (since + HEARING, Step::Leave),
        Course::Told(since) if !progress.is_busy() => {
            (progress.quiet_since().max(since) + CLOSING, Step::Leave)
        }
        Course::Open | Course::Told(_) => match progress.due(bounds) {
            (due, Due::Idle) => (due, Step::Tell),
            // The filter was asked already and hyper has not read on: there is no use in waiting.
            (due, Due::Head) if progress.head_is_overdue() => (due, Step::Leave),
            (due, Due::Head) => (due, Step::ExpireHead),
            (due, Due::Stalled) => (due, Step::Leave),
        },
    }
}

/// What a connection tells each of its requests.
struct Origin {
    peer: SocketAddr,
    room: OfConnection,
}

/// Answers one request; the future owns all it needs, since HTTP/2 runs it elsewhere.
fn answer(
    mut request: Request<Incoming>,
    origin: &Origin,
    edge: Edge,
    progress: &Arc<Progress>,
) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<> {
    let turned_away = progress.begin();
    let flight = Flight(Arc::clone(progress));
    let version = request.version();
    // Of a new connection bytes are read before anybody has asked whether its peer is still there; what is dear waits for that.
    let asks_first = progress.begun() == 1 && version <= Version::HTTP_11 && !request.body().is_end_stream();
    let extensions = request.extensions_mut();
    extensions.insert(Peer(origin.peer));
    extensions.insert(origin.room.clone());
    if let Some(why) = turned_away {
        extensions.insert(why);
    }
    async move {
        if asks_first {
            tokio::task::yield_now().await;
        }
        let mut response = edge.answer(request).await;
        if flight.0.expects_no_more() && version <= Version::HTTP_11 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| Answer { body, _flight: flight }))
    }
}

/// A request in flight; it ends with the last byte of its answer, or when it is given up.
struct Flight(Arc<Progress>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The body of an answer that keeps its request in flight.
struct Answer {
    body: Body,
    _flight: Flight,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
