//! This file is where load is made at the least price: requests are bytes written as they are, answers are read by length.
//!
//! A client that is a library of HTTP would be busier than a server of a few lines, and its own limit would be measured.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::{Failure, Outcome};
use crate::processor::OwnShare;
use crate::statistics::Quartiles;

/// Every hundredth answer is kept, beginning with the first.
const KEEP_EVERY: u64 = 100;
/// No answer that is measured here is longer.
const LONGEST: usize = 64 << 10;

/// A keep-alive connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// What was read of the last answer.
    answer: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub status: u16,
    /// Status line and headers, without the empty line.
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await.map_err(|why| Failure::new("connect", why))?;
        stream.set_nodelay(true).map_err(|why| Failure::new("TCP_NODELAY", why))?;
        Ok(Self { stream, answer: Vec::with_capacity(4096) })
    }

    /// The whole answer to a request that is whole in `request`.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Outcome<Answer<'_>> {
        let failed = |why| Failure::new("the server broke the connection", why);
        self.stream.write_all(request).await.map_err(failed)?;
        self.answer.clear();
        loop {
            if let Some((status, head, whole)) = extent(&self.answer)
                && self.answer.len() >= whole
            {
                let body = self.answer.get(head + 4..whole).unwrap_or_default();
                return Ok(Answer { status, head: self.answer.get(..head).unwrap_or_default(), body });
            }
            let read = self.stream.read_buf(&mut self.answer).await.map_err(failed)?;
            if read == 0 || self.answer.len() > LONGEST {
                return Err(Failure::new("an answer", "it is cut off or without end"));
            }
        }
    }
}

/// Status, length of the head and length of the whole, once the head is there.
fn extent(answer: &[u8]) -> Option<(u16, usize, usize)> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = answer.get(..head)?;
    let status = std::str::from_utf8(text.get(9..12)?).ok()?.parse().ok()?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let length = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(15)?;
        name.eq_ignore_ascii_case(b"content-length:").then_some(value)
    });
    let length = length.map_or(Some(0), |value| std::str::from_utf8(value).ok()?.trim().parse().ok());
    Some((status, head, head + 4 + length?))
}

/// What one connection asks: it writes the next request over the last one; false when it has nothing more to ask.
pub(crate) type Asker = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// The same request for ever.
pub(crate) fn always(request: &Bytes) -> Asker {
    let request = request.clone();
    Box::new(move |buffer| {
        if buffer.is_empty() {
            buffer.extend_from_slice(&request);
        }
        true
    })
}

/// What one slice of load brought.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// From the first request to the end of the window, or to the last answer if that came first.
    pub passed: Duration,
    /// 200s that ended within the window.
    pub good: u64,
    /// Every other status and how often.
    pub others: BTreeMap<u16, u64>,
    /// A hash of the claims of each token, to tell whether they differ; nothing for answers without.
    pub claims: Vec<u64>,
    /// Every hundredth body.
    pub kept: Vec<Bytes>,
    /// The generator's processor seconds over the time that passed.
    pub generator_cores: f64,
}

impl Load {
    pub(crate) fn rate(&self) -> f64 {
        self.good as f64 / self.passed.as_secs_f64()
    }

    fn take(&mut self, one: Self) {
        self.passed = self.passed.max(one.passed);
        self.good += one.good;
        self.claims.extend(one.claims);
        self.kept.extend(one.kept);
        for (status, count) in one.others {
            *self.others.entry(status).or_default() += count;
        }
    }

    fn note(&mut self, answer: Answer<'_>) {
        if answer.status != 200 {
            *self.others.entry(answer.status).or_default() += 1;
            return;
        }
        self.claims.extend(claims_of(answer.body));
        if self.good.is_multiple_of(KEEP_EVERY) {
            self.kept.push(Bytes::copy_from_slice(answer.body));
        }
        self.good += 1;
    }
}

/// Rates slice by slice and their quartiles, in a line for a reader.
pub(crate) fn rates(name: &str, slices: &[f64]) -> String {
    let each: Vec<String> = slices.iter().map(|slice| format!("{slice:.0}")).collect();
    let middle = Quartiles::of(slices);
    format!("  {name} {}  (quartiles {:.0} to {:.0})", each.join(" "), middle.lower, middle.upper)
}

/// A hash of what stands between the two dots of a token.
fn claims_of(body: &[u8]) -> Option<u64> {
    let mut parts = body.split(|byte| *byte == b'.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let mut hasher = DefaultHasher::new();
    claims.hash(&mut hasher);
    Some(hasher.finish())
}

/// Asks over one connection for each asker until the window ends or nothing is left to ask.
pub(crate) async fn run(address: SocketAddr, askers: Vec<Asker>, window: Duration) -> Outcome<Load> {
    let mut open = Vec::new();
    for asker in askers {
        open.push((Wire::open(address).await?, asker));
    }
    let share = OwnShare::start()?;
    let began = Instant::now();
    let ends = began + window;
    let loops: Vec<_> = open
        .into_iter()
        .map(|(wire, asker)| tokio::spawn(one_connection(wire, asker, began, ends)))
        .collect();
    let mut load = Load::default();
    for one in loops {
        load.take(one.await.map_err(|why| Failure::new("a connection of the generator", why))??);
    }
    let (processor_seconds, passed) = share.taken()?;
    load.generator_cores = processor_seconds / passed.as_secs_f64();
    Ok(load)
}

async fn one_connection(mut wire: Wire, mut asker: Asker, began: Instant, ends: Instant) -> Outcome<Load> {
    let (mut load, mut request) = (Load::default(), Vec::new());
    while asker(&mut request) {
        let answer = wire.ask(&request).await?;
        let now = Instant::now();
        if now > ends {
            load.passed = ends - began;
            break;
        }
        load.note(answer);
        load.passed = now - began;
    }
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = b"HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(extent(answer), Some((200, 43, 52)));
        assert_eq!(extent(b"HTTP/1.1 403 Forbidden\r\n\r\n"), Some((403, 22, 26)));
        assert_eq!(extent(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"), None);
    }

    #[test]
    fn tokens_are_told_apart_by_their_claims_alone() {
        assert_eq!(claims_of(b"{\"access_token\":\"h.c.s\"}"), claims_of(b"{\"access_token\":\"x.c.y\"}"));
        assert_ne!(claims_of(b"h.c.s"), claims_of(b"h.d.s"));
        assert_eq!(claims_of(b"no token"), None);
    }

    #[test]
    fn only_200s_count() {
        let mut load = Load { passed: Duration::from_secs(2), ..Load::default() };
        for status in [200, 200, 503] {
            load.note(Answer { status, head: b"", body: b"a.b.c" });
        }
        assert!((load.rate() - 1.0).abs() < 1e-9);
        assert_eq!((load.claims.len(), load.kept.len()), (2, 1));
        assert_eq!(load.others, BTreeMap::from([(503, 1)]));
    }
}
