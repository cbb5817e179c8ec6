//! This file is where the bytes of a connection are let through to hyper: only those of requests that have one meaning.
//!
//! hyper repairs some requests that RFC 9112 lets a server refuse (it drops a `Content-Length`
//! beside a `Transfer-Encoding`), and answers others itself, without a request id.
//! The filter reads every HTTP/1 head first ([`head`](super::head)), follows the bodies
//! ([`chunks`](super::chunks)) and passes on what is proper (`sieve.rs`).
//! A head that is not is replaced by a stand-in, which the layers answer like any other request,
//! with a log line and a request id, knowing by its number that it is one
//! ([`Progress::turn_away`]).
//! A body that is not ends in a read error, which the layers answer with 400.
//! HTTP/2 has framing of its own: after its preface everything passes.
//!
//! hyper takes the end of the stream for a caller that has hung up, and drops the request that is under way.
//! So two ends are told apart: behind a head that was turned away the filter is silent until the answer is out, while the
//! peer's own end, or its reset, goes through at once.
//! To see it the filter reads on while a request is under way, some 8 KiB, and keeps for later what it finds: requests
//! pass one at a time. The limit: an end that lies behind more than that is seen when the answer is written.

mod sieve;

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::progress::Progress;
use crate::http::bounds::Bounds;
use crate::http::malformed::Malformed;
use sieve::{Next, Sieve};

/// How much is read at a time.
const READ_SIZE: usize = 8192;

/// How long what still arrives is read and thrown away after an early answer.
///
/// Closing a socket with unread bytes resets it, and the reset overtakes the answer.
const LINGER: Duration = Duration::from_secs(2);

/// A stream that lets only proper requests through.
pub(super) struct HeadFilter<S> {
    stream: S,
    progress: Arc<Progress>,
    sieve: Sieve,
    /// The number of the request during which the peer ended its side and was given a moment.
    humored: u64,
    linger: Option<Pin<Box<Sleep>>>,
}

/// What became of bytes that were read into hyper's own buffer.
enum Whole {
    /// The stream has ended.
    Nothing,
    /// They may stay there.
    Passed,
    /// They are something else and lie in the inbox.
    ToBeLookedAt,
}

impl<S> HeadFilter<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>, bounds: Arc<Bounds>) -> Self {
        let sieve = Sieve::new(Arc::clone(&progress), bounds);
        Self { stream, progress, sieve, humored: 0, linger: None }
    }
}

impl<S: AsyncRead + Unpin> HeadFilter<S> {
    /// Reads once from the stream; how many bytes came.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.sieve.take(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Reads once into hyper's own buffer.
    ///
    /// Most requests come whole: they are looked at where they lie, and copied nowhere.
    fn poll_whole(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<Whole>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            return Poll::Ready(Ok(Whole::Nothing));
        }
        if self.sieve.may_pass(read) {
            return Poll::Ready(Ok(Whole::Passed));
        }
        self.sieve.take(read);
        buffer.set_filled(before);
        Poll::Ready(Ok(Whole::ToBeLookedAt))
    }

    /// While a request is under way, looks whether the peer is still there; ready when it is not.
    fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sieve.has_room_ahead() {
            match self.poll_fill(cx)? {
                Poll::Ready(0) => return self.poll_last_moment(cx),
                Poll::Ready(_) => self.progress.moved(),
                Poll::Pending => break,
            }
        }
        if !self.sieve.is_empty() {
            self.progress.wake_when_idle(cx.waker());
        }
        Poll::Pending
    }

    /// Small tools that look after a server close their side behind a request without a body, and wait: they have what can
    /// be answered at once. Whoever else closes its side is gone, and what is dear is asked with a body.
    fn poll_last_moment(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let request = self.progress.begun();
        if self.sieve.has_body() || self.humored == request {
            return Poll::Ready(Ok(()));
        }
        self.humored = request;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads and throws away until the peer is done or the time is over.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if sleep.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let read = ready!(self.poll_fill(cx));
            self.sieve.clear();
            if !matches!(read, Ok(length) if length > 0) {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadFilter<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            this.sieve.look();
            if this.sieve.has_passed() {
                this.sieve.hand_over(buffer);
                return Poll::Ready(Ok(()));
            }
            match this.sieve.next() {
                Next::End => return Poll::Ready(Ok(())),
                Next::Turn => return this.poll_hang_up(cx),
                Next::Silence => {
                    this.progress.wake_when_idle(cx.waker());
                    return Poll::Pending;
                }
                Next::Error => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, Malformed::Chunk.why());
                    return Poll::Ready(Err(error));
                }
                Next::Head if this.progress.head_is_overdue() => {
                    this.sieve.turn_away(Malformed::HeadTooSlow);
                    continue;
                }
                Next::Head | Next::More => {}
            }
            let whole = if this.sieve.is_empty() {
                ready!(this.poll_whole(cx, buffer))?
            } else {
                match ready!(this.poll_fill(cx))? {
                    0 => Whole::Nothing,
                    _ => Whole::ToBeLookedAt,
                }
            };
            match whole {
                Whole::Nothing => this.sieve.end(),
                Whole::Passed => {
                    this.progress.moved();
                    return Poll::Ready(Ok(()));
                }
                Whole::ToBeLookedAt => this.progress.moved(),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for HeadFilter<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        this.progress.moved();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, slices));
        this.progress.moved();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        if this.sieve.is_mid_request() {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
