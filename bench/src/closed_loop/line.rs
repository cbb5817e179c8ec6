//! This file is where one connection of the closed loop is written to and read from; it waits for nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;

use crate::failure::{Failure, Outcome};
use crate::wire::{Extent, LONGEST};

/// What one connection asks: it writes the next request over the last one; false when it has nothing more to ask.
pub(crate) type Asker = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// A keep-alive connection.
pub(super) struct Line {
    pub(super) stream: TcpStream,
    asker: Asker,
    request: Vec<u8>,
    pub(super) asked: Instant,
    /// The beginning of an answer that did not come in one piece.
    pub(super) part: Vec<u8>,
}

impl Line {
    pub(super) fn open(address: SocketAddr, asker: Asker, asked: Instant) -> Outcome<Self> {
        let failed = |why| Failure::new("connect", why);
        let stream = std::net::TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_nonblocking(true).map_err(failed)?;
        let stream = TcpStream::from_std(stream);
        Ok(Self { stream, asker, request: Vec::new(), asked, part: Vec::new() })
    }

    /// Sends the next request; false when there is none.
    pub(super) fn ask(&mut self, now: Instant) -> Outcome<bool> {
        if !(self.asker)(&mut self.request) {
            return Ok(false);
        }
        self.asked = now;
        // Nothing is under way on this connection, so there is room for it in the kernel.
        let written = self.stream.write(&self.request);
        match written.map_err(|why| Failure::new("the server broke the connection", why))? {
            whole if whole == self.request.len() => Ok(true),
            _ => Err(Failure::new("a request", "it is too long for one piece")),
        }
    }

    /// Reads what there is; once the answer is whole, its extent and how much was read last. It stands in `part`, or in
    /// the buffer if it came at once.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Outcome<Option<(Extent, usize)>> {
        // To the end of what there is: the kernel tells only of what is new.
        loop {
            let last = match self.stream.read(buffer) {
                Err(why) if why.kind() == ErrorKind::Interrupted => continue,
                Err(why) if why.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(why) => return Err(Failure::new("the server broke the connection", why)),
                Ok(0) => return Err(Failure::new("the server", "it closed the connection")),
                Ok(last) => last,
            };
            if let Some(extent) = completed(&mut self.part, buffer.get(..last).unwrap_or_default())? {
                return Ok(Some((extent, last)));
            }
        }
    }
}

/// The extent of the answer that ends with what was read, once it is whole; until then its part is kept.
fn completed(part: &mut Vec<u8>, read: &[u8]) -> Outcome<Option<Extent>> {
    let in_pieces = !part.is_empty();
    if in_pieces {
        part.extend_from_slice(read);
    }
    let held = if in_pieces { part.len() } else { read.len() };
    match Extent::of(if in_pieces { part } else { read })? {
        Some(extent) if extent.whole < held => Err(Failure::new("an answer", "a second one followed it")),
        Some(extent) if extent.whole == held => Ok(Some(extent)),
        Some(_) | None if held > LONGEST => Err(Failure::new("an answer", "it is without end")),
        Some(_) | None => {
            if !in_pieces {
                part.extend_from_slice(read);
            }
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_comes_in_pieces_is_whole_with_the_last() {
        let mut part = Vec::new();
        for piece in ["HTTP/1.1 200 OK\r\ncont", "ent-length: 5\r\n\r\nhe"] {
            assert!(completed(&mut part, piece.as_bytes()).expect("so far good").is_none(), "{piece}");
        }
        let extent = completed(&mut part, b"llo").expect("good").expect("whole");
        assert_eq!(extent.body(&part), b"hello");
    }
}
