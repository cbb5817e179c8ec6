//! This file is where bytes are told apart that may go through from those that may not, without a look at where they come from.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use crate::connections::chunks::ChunkScan;
use crate::connections::head::{Framing, HeadScan, Scanned, framing};
use crate::connections::progress::Progress;
use crate::http::bounds::Bounds;
use crate::http::malformed::Malformed;

const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What hyper reads in place of a head that is turned away.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n";

/// The bytes of one connection on their way.
pub(super) struct Sieve {
    progress: Arc<Progress>,
    bounds: Arc<Bounds>,
    /// Read from the stream, not yet looked at or not yet complete.
    inbox: BytesMut,
    /// Found proper, not yet taken by hyper.
    passed: BytesMut,
    place: Place,
    /// Heads that were passed on.
    heads: u64,
    /// Whether a body came with the last of them.
    has_body: bool,
}

/// How much is read ahead of its turn, about.
const AHEAD: usize = 8192;

/// What is next when nothing is left to hand over.
pub(super) enum Next {
    /// The bytes of a head, which is turned away when they take too long.
    Head,
    /// More of a body, or of HTTP/2.
    More,
    /// A head too, but not before the request under way has its answer.
    Turn,
    /// Nothing, once the request under way has its answer.
    Silence,
    /// Nothing: the stream is at its end.
    End,
    /// An error: the body is malformed.
    Error,
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
    /// A head was turned away: nothing follows the answer to it.
    TurnedAway,
    /// The stream has ended: nothing follows.
    Ended,
    /// A body was malformed: reading on is an error.
    Broken,
}

impl Sieve {
    pub(super) fn new(progress: Arc<Progress>, bounds: Arc<Bounds>) -> Self {
        Self {
            progress,
            bounds,
            inbox: BytesMut::new(),
            passed: BytesMut::new(),
            place: Place::Start,
            heads: 0,
            has_body: false,
        }
    }

    /// Takes bytes that were read, to be looked at.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    /// Throws away what was not looked at.
    pub(super) fn clear(&mut self) {
        self.inbox.clear();
    }

    /// The stream has ended: nothing follows.
    pub(super) fn end(&mut self) {
        self.inbox.clear();
        self.place = Place::Ended;
    }

    /// Whether nothing waits to be looked at.
    pub(super) fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    /// Whether something is to be handed over.
    pub(super) fn has_passed(&self) -> bool {
        !self.passed.is_empty()
    }

    /// What is next.
    pub(super) fn next(&self) -> Next {
        match self.place {
            Place::Ended => Next::End,
            Place::Broken => Next::Error,
            Place::TurnedAway if self.progress.has_ended(self.heads) => Next::End,
            Place::TurnedAway => Next::Silence,
            Place::Start | Place::Head(_) if self.progress.has_ended(self.heads) => Next::Head,
            Place::Start | Place::Head(_) => Next::Turn,
            Place::Body(_) | Place::Chunks(_) | Place::Through => Next::More,
        }
    }

    /// Whether more may be read ahead of its turn.
    pub(super) fn has_room_ahead(&self) -> bool {
        self.inbox.len() < AHEAD
    }

    /// Whether a body came with the request that was passed on last.
    pub(super) fn has_body(&self) -> bool {
        self.has_body
    }

    /// Looks at the inbox and passes on what is proper, one request at a time: while hyper holds another one it does not
    /// look whether the peer is still there.
    pub(super) fn look(&mut self) {
        while !self.inbox.is_empty() {
            let next = self.next();
            if matches!(next, Next::Turn) {
                return;
            }
            if !self.step() {
                if matches!(next, Next::Head) {
                    self.progress.head_begun();
                }
                return;
            }
        }
    }

    /// One step through the inbox; false when it takes more bytes to go on.
    fn step(&mut self) -> bool {
        match &mut self.place {
            Place::Start => return self.start(),
            Place::Head(scan) => match scan.look(&self.inbox, self.bounds.head) {
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
            Place::TurnedAway | Place::Ended | Place::Broken => self.inbox.clear(),
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
        match read.and_then(|head| framing(head, self.bounds.headers)) {
            Ok(framing) => {
                self.place = match framing {
                    Framing::Length(0) => Place::Head(HeadScan::default()),
                    Framing::Length(length) => Place::Body(length),
                    Framing::Chunked => Place::Chunks(ChunkScan::default()),
                };
                self.heads += 1;
                self.has_body = framing != Framing::Length(0);
                self.progress.head_done();
                self.pass(length);
            }
            Err(why) => self.turn_away(why),
        }
    }

    /// Whether these bytes, which follow what was passed on, may pass as they are: one proper request of HTTP/1 with its
    /// body, a piece of a body, or HTTP/2.
    pub(super) fn may_pass(&mut self, bytes: &[u8]) -> bool {
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
            Place::Start | Place::Body(_) | Place::Chunks(_) => return false,
            Place::TurnedAway | Place::Ended | Place::Broken => return false,
        };
        let Ok(Scanned::Head(length)) = scan.look(bytes, self.bounds.head) else {
            return false;
        };
        let (head, body) = bytes.split_at(length.min(bytes.len()));
        if framing(head, self.bounds.headers) != Ok(Framing::Length(body.len() as u64)) {
            return false;
        }
        self.place = Place::Head(HeadScan::default());
        self.heads += 1;
        self.has_body = !body.is_empty();
        self.progress.head_done();
        true
    }

    /// Lets nothing more through: what is read in place of the head is answered with why.
    pub(super) fn turn_away(&mut self, why: Malformed) {
        self.progress.turn_away(self.heads, why);
        self.heads += 1;
        self.inbox.clear();
        self.passed.extend_from_slice(STAND_IN);
        self.place = Place::TurnedAway;
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

    /// Hands over what was found proper, as much as there is room for.
    pub(super) fn hand_over(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.passed.len().min(buffer.remaining());
        buffer.put_slice(&self.passed.split_to(length));
        if self.passed.is_empty() {
            self.passed = BytesMut::new();
        }
    }

    /// Whether closing now would throw away bytes that the peer still sends.
    pub(super) fn is_mid_request(&self) -> bool {
        match self.place {
            Place::Body(_) | Place::Chunks(_) | Place::TurnedAway | Place::Ended | Place::Broken => true,
            Place::Start | Place::Head(_) | Place::Through => false,
        }
    }
}
