//! This file is where the bytes of a connection are let through to hyper: only those of requests that have one meaning.
//!
//! hyper repairs some requests that RFC 9112 lets a server refuse (it drops a `Content-Length`
//! beside a `Transfer-Encoding`), and answers others itself, without a request id.
//! The filter reads every HTTP/1 head first ([`head`](super::head)), follows the bodies
//! ([`chunks`](super::chunks)) and passes on what is proper.
//! A head that is not is replaced by a stand-in, which the layers answer like any other request,
//! with a log line and a request id, knowing by its number that it is one
//! ([`Progress::turn_away`]).
//! A body that is not ends in a read error, which the layers answer with 400.
//! HTTP/2 has framing of its own: after its preface everything passes.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::chunks::ChunkScan;
use super::head::{Framing, HeadScan, Scanned, framing};
use super::progress::Progress;
use crate::http::limits::Limits;
use crate::http::malformed::Malformed;

const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What hyper reads in place of a head that is turned away.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n";

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
    limits: Arc<Limits>,
    /// Read from the stream, not yet looked at or not yet complete.
    inbox: BytesMut,
    /// Found proper, not yet taken by hyper.
    passed: BytesMut,
    place: Place,
    /// Heads that were passed on.
    heads: u64,
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

/// What the next byte of the inbox belongs to.
enum Place {
    /// The first bytes: HTTP/2 or a head.
    Start,
    Head(HeadScan),
    Body(u64),
    Chunks(ChunkScan),
    /// HTTP/2.
    Through,
    /// A head was turned away, or the stream has ended: nothing follows.
    Ended,
    /// A body was malformed: reading on is an error.
    Broken,
}

impl<S> HeadFilter<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>, limits: Arc<Limits>) -> Self {
        Self {
            stream,
            progress,
            limits,
            inbox: BytesMut::new(),
            passed: BytesMut::new(),
            place: Place::Start,
            heads: 0,
            linger: None,
        }
    }

    /// Looks at the inbox and passes on what is proper.
    fn look(&mut self) {
        while !self.inbox.is_empty() && self.step() {}
        match self.place {
            Place::Start | Place::Head(_) if !self.inbox.is_empty() => self.progress.head_begun(),
            _ => {}
        }
    }

    /// One step through the inbox; false when it takes more bytes to go on.
    fn step(&mut self) -> bool {
        match &mut self.place {
            Place::Start => return self.start(),
            Place::Head(scan) => match scan.look(&self.inbox, self.limits.head) {
                Ok(Scanned::More) => return false,
                Ok(Scanned::Blank(length)) => self.inbox.advance(length),
                Ok(Scanned::Head(length)) => self.head(length),
                Err(why) => self.turn_away(why),
            },
            Place::Body(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(self.inbox.len());
                *left -= here as u64;
                if *left == 0 {
                    self.place = Place::Head(HeadScan::default());
                }
                self.pass(here);
            }
            Place::Chunks(scan) => match scan.follow(&self.inbox) {
                Ok(here) => {
                    if scan.is_over() {
                        self.place = Place::Head(HeadScan::default());
                    }
                    self.pass(here);
                }
                Err(_) => {
                    self.place = Place::Broken;
                    self.inbox.clear();
                }
            },
            Place::Through => self.pass(self.inbox.len()),
            Place::Ended | Place::Broken => self.inbox.clear(),
        }
        true
    }

    fn start(&mut self) -> bool {
        let common = self.inbox.len().min(H2_PREFACE.len());
        if self.inbox.get(..common) != H2_PREFACE.get(..common) {
            self.place = Place::Head(HeadScan::default());
            return true;
        }
        if common < H2_PREFACE.len() {
            return false;
        }
        self.place = Place::Through;
        self.progress.head_done();
        true
    }

    fn head(&mut self, length: usize) {
        let read = self.inbox.get(..length).ok_or(Malformed::RequestLine);
        match read.and_then(|head| framing(head, self.limits.headers)) {
            Ok(framing) => {
                self.place = match framing {
                    Framing::Length(0) => Place::Head(HeadScan::default()),
                    Framing::Length(length) => Place::Body(length),
                    Framing::Chunked => Place::Chunks(ChunkScan::default()),
                };
                self.heads += 1;
                self.progress.head_done();
                self.pass(length);
            }
            Err(why) => self.turn_away(why),
        }
    }

    /// Whether these bytes, which follow what was passed on, may pass as they are: one proper request of HTTP/1 with its
    /// body, a piece of a body, or HTTP/2.
    fn may_pass(&mut self, bytes: &[u8]) -> bool {
        let mut scan = match &mut self.place {
            Place::Start if !H2_PREFACE.starts_with(bytes) && !bytes.starts_with(H2_PREFACE) => {
                HeadScan::default()
            }
            Place::Head(scan) => *scan,
            Place::Body(left) if *left > bytes.len() as u64 => {
                *left -= bytes.len() as u64;
                return true;
            }
            Place::Through => return true,
            Place::Start | Place::Body(_) | Place::Chunks(_) | Place::Ended | Place::Broken => return false,
        };
        let Ok(Scanned::Head(length)) = scan.look(bytes, self.limits.head) else {
            return false;
        };
        let (head, body) = bytes.split_at(length.min(bytes.len()));
        if framing(head, self.limits.headers) != Ok(Framing::Length(body.len() as u64)) {
            return false;
        }
        self.place = Place::Head(HeadScan::default());
        self.heads += 1;
        self.progress.head_done();
        true
    }

    fn turn_away(&mut self, why: Malformed) {
        self.progress.turn_away(self.heads, why);
        self.inbox.clear();
        self.passed.extend_from_slice(STAND_IN);
        self.place = Place::Ended;
    }

    fn pass(&mut self, length: usize) {
        let proper = self.inbox.split_to(length);
        if self.passed.is_empty() {
            self.passed = proper;
        } else {
            self.passed.unsplit(proper);
        }
        if self.inbox.is_empty() {
            // An idle connection holds no buffer.
            self.inbox = BytesMut::new();
        }
    }

    fn hand_over(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.passed.len().min(buffer.remaining());
        buffer.put_slice(&self.passed.split_to(length));
        if self.passed.is_empty() {
            self.passed = BytesMut::new();
        }
    }

    /// Whether closing now would throw away bytes that the peer still sends.
    fn is_mid_request(&self) -> bool {
        match self.place {
            Place::Body(_) | Place::Chunks(_) | Place::Ended | Place::Broken => true,
            Place::Start | Place::Head(_) | Place::Through => false,
        }
    }
}

impl<S: AsyncRead + Unpin> HeadFilter<S> {
    /// Reads once from the stream; how many bytes came.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.inbox.extend_from_slice(buffer.filled());
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
        if self.may_pass(read) {
            return Poll::Ready(Ok(Whole::Passed));
        }
        self.inbox.extend_from_slice(read);
        buffer.set_filled(before);
        Poll::Ready(Ok(Whole::ToBeLookedAt))
    }

    /// Reads and throws away until the peer is done or the time is over.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if sleep.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let read = ready!(self.poll_fill(cx));
            self.inbox.clear();
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
            if !this.passed.is_empty() {
                this.hand_over(buffer);
                return Poll::Ready(Ok(()));
            }
            match this.place {
                Place::Ended => return Poll::Ready(Ok(())),
                Place::Broken => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, Malformed::Chunk.why());
                    return Poll::Ready(Err(error));
                }
                Place::Start | Place::Head(_) if this.progress.head_is_overdue() => {
                    this.turn_away(Malformed::HeadTooSlow);
                    continue;
                }
                Place::Start | Place::Head(_) | Place::Body(_) | Place::Chunks(_) | Place::Through => {}
            }
            let whole = if this.inbox.is_empty() {
                ready!(this.poll_whole(cx, buffer))?
            } else {
                match ready!(this.poll_fill(cx))? {
                    0 => Whole::Nothing,
                    _ => Whole::ToBeLookedAt,
                }
            };
            match whole {
                Whole::Nothing => {
                    this.inbox.clear();
                    this.place = Place::Ended;
                }
                Whole::Passed => {
                    this.progress.moved();
                    return Poll::Ready(Ok(()));
                }
                Whole::ToBeLookedAt => {
                    this.progress.moved();
                    this.look();
                }
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
        if this.is_mid_request() {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
