//! This file is where HTTP/1.1 is bytes: requests that are written as they are, answers that are found by their length.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;

use crate::connection::Ask;
use crate::failure::{Failure, Outcome};

/// No answer that is measured here is longer.
pub(crate) const LONGEST: usize = 64 << 10;

/// The whole request.
pub(crate) fn request(ask: &Ask, address: SocketAddr) -> Bytes {
    let (line, kind, body) = match ask {
        Ask::Get(path) => (format!("GET {path}"), "", &Bytes::new()),
        Ask::Token(body) => ("POST /api/oauth/token".to_owned(), "application/json", body),
        Ask::Form(path, body) => (format!("POST {path}"), "application/x-www-form-urlencoded", body),
    };
    let mut head = format!("{line} HTTP/1.1\r\nhost: {address}\r\n");
    if !body.is_empty() {
        let length = body.len();
        head.push_str(&format!(
            "accept: application/json\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n"
        ));
    }
    Bytes::from([head.as_bytes(), b"\r\n", body].concat())
}

/// Where the parts of an answer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub status: u16,
    /// Of the status line and the headers, without the empty line.
    pub head: usize,
    /// Of all.
    pub whole: usize,
}

impl Extent {
    /// Finds it once the head is there; a failure when the head does not say where the answer ends.
    pub(crate) fn of(answer: &[u8]) -> Outcome<Option<Self>> {
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let found = answer.get(..head).and_then(|text| Some((status(text)?, length(text)?)));
        let (status, length) =
            found.ok_or_else(|| Failure::new("an answer", "its head names no status and no length"))?;
        Ok(Some(Self { status, head, whole: head + 4 + length }))
    }

    pub(crate) fn body(self, answer: &[u8]) -> &[u8] {
        answer.get(self.head + 4..self.whole).unwrap_or_default()
    }
}

fn status(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}

/// What `content-length` says; answers that come in chunks have none and are not read here.
fn length(head: &[u8]) -> Option<usize> {
    let value = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(15)?;
        name.eq_ignore_ascii_case(b"content-length:").then_some(value)
    });
    std::str::from_utf8(value?).ok()?.trim().parse().ok()
}

/// An answer as it came, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub extent: Extent,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn body(&self) -> &[u8] {
        self.extent.body(&self.bytes)
    }
}

/// Asks once, on a connection of its own.
pub(crate) fn ask_once(address: SocketAddr, request: &[u8]) -> Outcome<Answer> {
    let failed = |why| Failure::new("one question", why);
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.write_all(request).map_err(failed)?;
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(extent) = Extent::of(&bytes)?
            && bytes.len() >= extent.whole
        {
            return Ok(Answer { extent, bytes });
        }
        let read = stream.read(&mut part).map_err(failed)?;
        if read == 0 || bytes.len() > LONGEST {
            return Err(Failure::new("an answer", "it is cut off or without end"));
        }
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = b"HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 5\r\n\r\nhello";
        let extent = Extent::of(answer).expect("a length").expect("a whole head");
        assert_eq!(extent, Extent { status: 200, head: 43, whole: 52 });
        assert_eq!(extent.body(answer), b"hello");
        assert_eq!(Extent::of(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n").expect("not yet"), None);
    }

    #[test]
    fn an_answer_of_unknown_length_is_a_failure_and_not_an_empty_body() {
        assert!(Extent::of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_is_whole_with_its_length_and_its_kind() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let bytes = request(&Ask::Form("/t".to_owned(), Bytes::from_static(b"a=b")), address);
        let text = "POST /t HTTP/1.1\r\nhost: 127.0.0.1:80\r\naccept: application/json\r\n\
                    content-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n\r\na=b";
        assert_eq!(bytes, text);
        assert_eq!(
            request(&Ask::Get("/x".to_owned()), address),
            "GET /x HTTP/1.1\r\nhost: 127.0.0.1:80\r\n\r\n"
        );
    }
}
