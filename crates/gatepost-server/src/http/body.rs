//! This file is where a request's body is taken in: by handlers that ask for it, within bounds of size, time and memory.
//!
//! Nothing is read before a handler asks: who sends a body where none is taken learns that, and fills no memory.
//! What goes wrong is noted beside the request too, so that it is answered rightly whatever the handler makes of it.
//! Memory is set aside as the bytes come, not as they are announced: announcing costs the caller nothing.
//! It is given back when the request is answered.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;

use super::bounds::Bounds;
use super::fault::Fault;
use super::room::{OfConnection, Share};

/// The whole body, if it is no longer than `limit` bytes.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Fault> {
    let Some(first) = body.frame().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|error| Fault::behind(&error))?.into_data().unwrap_or_default();
    if first.len() > limit {
        return Err(Fault::BodyTooLarge);
    }
    // Most bodies come in one piece, which is taken as it is.
    if body.is_end_stream() {
        return Ok(first);
    }
    // One buffer for all others: frames of a single byte would cost many times what they bring.
    let mut whole = BytesMut::from(first);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::behind(&error))?;
        // Trailers mean nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit.saturating_sub(whole.len()) {
            return Err(Fault::BodyTooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// How far the body of one request has come.
pub(crate) struct Intake {
    fault: OnceLock<Fault>,
    began: OnceLock<Instant>,
    ended: OnceLock<Instant>,
    shares: Mutex<Shares>,
}

/// What the body takes of its peer's room and its connection's, if they have one, and of that of all bodies.
type Shares = ([Option<Share>; 2], Share);

impl Intake {
    /// Puts bounds around the body of that request.
    pub(crate) fn around<B>(request: Request<B>, bounds: &Bounds) -> (Request<Body>, Arc<Self>)
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let rooms = request.extensions().get::<OfConnection>();
        let own = rooms.map(|rooms| Share::of(&rooms.own));
        let of_peer = rooms.and_then(|rooms| rooms.peer.as_ref()).map(Share::of);
        let shares = ([of_peer, own], Share::of(&bounds.bodies));
        let intake = Arc::new(Self {
            fault: OnceLock::new(),
            began: OnceLock::new(),
            ended: OnceLock::new(),
            shares: Mutex::new(shares),
        });
        let (parts, body) = request.into_parts();
        let body = Bounded {
            body,
            intake: Arc::clone(&intake),
            is_encoded: is_encoded(&parts.headers),
            head: size_of_head(&parts.headers),
            left: bounds.body,
            patience: bounds.request_timeout,
            timer: None,
        };
        (Request::from_parts(parts, Body::new(body)), intake)
    }

    /// What went wrong with the body, if anything.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault.get().copied()
    }

    /// Until when an answer is waited for that was begun then: the time that the body takes is not counted.
    pub(crate) fn due(&self, began: Instant, body: Duration, answer: Duration) -> Instant {
        match (self.began.get(), self.ended.get()) {
            (None, _) => began + answer,
            (Some(began), None) => *began + body + answer,
            (Some(_), Some(ended)) => *ended + answer,
        }
    }

    fn set_aside(&self, bytes: usize) -> bool {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let (narrower, of_all) = &mut *shares;
        narrower.iter_mut().flatten().all(|share| share.grow(bytes)) && of_all.grow(bytes)
    }
}

/// A body within its bounds.
struct Bounded<B> {
    body: B,
    intake: Arc<Intake>,
    is_encoded: bool,
    head: usize,
    left: usize,
    patience: Duration,
    /// Set when the body has to be waited for; most are there with their head.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Bounded<B>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    /// What can be said against the body before any of it is read; no `100 Continue` is sent then.
    fn begin(&mut self) -> Result<(), Fault> {
        let _ = self.intake.began.set(Instant::now());
        if self.is_encoded {
            return Err(Fault::ContentEncoding);
        }
        if self.body.size_hint().lower() > self.left as u64 {
            return Err(Fault::BodyTooLarge);
        }
        // The head is held for as long as the body takes to come.
        if self.body.is_end_stream() { Ok(()) } else { self.set_aside(self.head) }
    }

    fn set_aside(&self, bytes: usize) -> Result<(), Fault> {
        if self.intake.set_aside(bytes) { Ok(()) } else { Err(Fault::NoRoom) }
    }

    fn poll_bounded(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(fault) = self.intake.fault() {
            return Poll::Ready(Some(Err(fault)));
        }
        if self.intake.began.get().is_none() {
            self.begin()?;
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                if self.poll_over(cx).is_ready() {
                    Poll::Ready(Some(Err(Fault::BodyTooSlow)))
                } else {
                    Poll::Pending
                }
            }
            Poll::Ready(None) => {
                let _ = self.intake.ended.set(Instant::now());
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(Fault::BodyCut))),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.left = self.left.checked_sub(bytes).ok_or(Fault::BodyTooLarge)?;
                self.set_aside(bytes)?;
                if self.body.is_end_stream() {
                    let _ = self.intake.ended.set(Instant::now());
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    /// Ready when the body has had its time.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        let began = self.intake.began.get().copied().unwrap_or_else(Instant::now);
        let due = || Box::pin(tokio::time::sleep_until((began + patience).into()));
        self.timer.get_or_insert_with(due).as_mut().poll(cx)
    }
}

impl<B> hyper::body::Body for Bounded<B>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let this = self.get_mut();
        let polled = this.poll_bounded(cx);
        if let Poll::Ready(Some(Err(fault))) = &polled {
            let _ = this.intake.fault.set(*fault);
            let _ = this.intake.ended.set(Instant::now());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        !self.is_encoded && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .into_iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn size_of_head(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len())).sum()
}
