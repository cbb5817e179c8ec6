//! This file is where requests come when they are due, whether earlier ones were answered or not, as partners' do.
//!
//! Arrivals are Poisson from a seed. A latency counts from the moment at which its request was due, so a server that
//! stops for a while can't hide it. A thread of its own keeps the time and sends, for timers of the runtime round up to
//! a millisecond, which is half a signature, and a hand-over would cost as much as the rest of the generator. How late
//! it sends is told too: that part of a latency is the generator's.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::arrivals::{Arrivals, Moments, wait_until};
use crate::connection::Ask;
use crate::failure::{Failure, Outcome};
use crate::gatepost::CONNECTIONS_OF_ONE_ADDRESS;
use crate::processor::{OwnShare, cores};
use crate::wire::{self, Extent};

/// Requests without an answer at once; more than this many is a server that no longer answers.
const MOST_UNDER_WAY: usize = 9_000;

// Each has a connection of its own, and all come from one address.
const _: () = assert!(MOST_UNDER_WAY < CONNECTIONS_OF_ONE_ADDRESS);

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Of the 200s: body and milliseconds from when the request was due.
    pub served: Vec<(Bytes, f64)>,
    /// Of the 503s: milliseconds in the same way.
    pub refused: Vec<f64>,
    /// Every other status and how often.
    pub others: BTreeMap<u16, u64>,
    /// How many milliseconds after it was due each request was sent.
    pub late: Vec<f64>,
    /// The generator's share of the machine's processors.
    pub generator_share: f64,
}

/// The sender's half of a connection, and since when its request is due.
struct Line {
    requests: TcpStream,
    due: Mutex<Instant>,
}

/// The other half, read by the runtime.
struct Reader {
    line: Arc<Line>,
    answers: tokio::net::TcpStream,
}

type Idle = Arc<Mutex<Vec<Arc<Line>>>>;

/// What the sender and the lines tell.
enum Told {
    Opened(Reader),
    Answered { status: u16, body: Bytes, milliseconds: f64 },
    AllSent { late: Vec<f64> },
    Failed(Failure),
}

/// Sends what is due and waits for all answers.
pub(crate) async fn run(address: SocketAddr, ask: &Ask, arrivals: Arrivals) -> Outcome<Answers> {
    run_within(MOST_UNDER_WAY, address, wire::request(ask, address), arrivals).await
}

async fn run_within(
    most_under_way: usize,
    address: SocketAddr,
    request: Bytes,
    arrivals: Arrivals,
) -> Outcome<Answers> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let idle = Idle::default();
    let sender = Sender {
        address,
        request,
        idle: Arc::clone(&idle),
        opened: 0,
        most_under_way,
        tell: tell.clone(),
        runtime: Handle::current(),
    };
    let share = OwnShare::start()?;
    std::thread::spawn(move || sender.run(arrivals));

    // Dropped with this future, and all that still read with it.
    let mut lines = JoinSet::new();
    let (mut answers, mut count, mut all) = (Answers::default(), 0, None);
    while all != Some(count) {
        match told.recv().await {
            Some(Told::Opened(reader)) => {
                lines.spawn(reader.run(Arc::clone(&idle), tell.clone()));
            }
            Some(Told::Answered { status, body, milliseconds }) => {
                answers.take(status, body, milliseconds);
                count += 1;
            }
            Some(Told::AllSent { late }) => {
                let (processor_seconds, passed) = share.taken()?;
                answers.generator_share = processor_seconds / (passed.as_secs_f64() * cores() as f64);
                all = Some(late.len());
                answers.late = late;
            }
            Some(Told::Failed(why)) => return Err(why),
            None => return Err(Failure::new("the generator", "its sender is gone")),
        }
    }
    Ok(answers)
}

impl Answers {
    fn take(&mut self, status: u16, body: Bytes, milliseconds: f64) {
        match status {
            200 => self.served.push((body, milliseconds)),
            503 => self.refused.push(milliseconds),
            other => *self.others.entry(other).or_default() += 1,
        }
    }
}

/// The thread that keeps the time.
struct Sender {
    address: SocketAddr,
    request: Bytes,
    idle: Idle,
    opened: usize,
    most_under_way: usize,
    tell: mpsc::UnboundedSender<Told>,
    runtime: Handle,
}

impl Sender {
    fn run(mut self, arrivals: Arrivals) {
        let sent = self.send(arrivals);
        // Nobody listens any more: the measurement has failed and says why itself.
        let _ = self.tell.send(match sent {
            Ok(late) => Told::AllSent { late },
            Err(why) => Told::Failed(why),
        });
    }

    fn send(&mut self, arrivals: Arrivals) -> Outcome<Vec<f64>> {
        let (began, mut late) = (Instant::now(), Vec::new());
        for after in Moments::of(arrivals) {
            let due = began + after;
            wait_until(due);
            let line = self.line()?;
            *lock(&line.due) = due;
            late.push(due.elapsed().as_secs_f64() * 1e3);
            // A few hundred bytes always fit into the buffer of a connection that waits for nothing.
            let written = (&line.requests).write_all(&self.request);
            written.map_err(|why| Failure::new("a request of the generator", why))?;
        }
        Ok(late)
    }

    fn line(&mut self) -> Outcome<Arc<Line>> {
        let free = lock(&self.idle).pop();
        if let Some(line) = free {
            return Ok(line);
        }
        if self.opened >= self.most_under_way {
            let why = format!("{} requests are without an answer", self.opened);
            return Err(Failure::new("the server", why));
        }
        let reader = self.open().map_err(|why| Failure::new("connect", why))?;
        let line = Arc::clone(&reader.line);
        self.opened += 1;
        let _ = self.tell.send(Told::Opened(reader));
        Ok(line)
    }

    fn open(&self) -> std::io::Result<Reader> {
        let requests = TcpStream::connect(self.address)?;
        requests.set_nodelay(true)?;
        requests.set_nonblocking(true)?;
        let _within = self.runtime.enter();
        let answers = tokio::net::TcpStream::from_std(requests.try_clone()?)?;
        Ok(Reader { line: Arc::new(Line { requests, due: Mutex::new(Instant::now()) }), answers })
    }
}

impl Reader {
    /// Reads one answer after the other, and gives the line back each time.
    async fn run(mut self, idle: Idle, tell: mpsc::UnboundedSender<Told>) {
        let mut bytes = Vec::with_capacity(4096);
        loop {
            let told = match self.answer(&mut bytes).await {
                Ok((status, body)) => {
                    let milliseconds = lock(&self.line.due).elapsed().as_secs_f64() * 1e3;
                    lock(&idle).push(Arc::clone(&self.line));
                    Told::Answered { status, body, milliseconds }
                }
                Err(why) => Told::Failed(why),
            };
            let failed = matches!(told, Told::Failed(_));
            if tell.send(told).is_err() || failed {
                return;
            }
        }
    }

    async fn answer(&mut self, bytes: &mut Vec<u8>) -> Outcome<(u16, Bytes)> {
        let broke = |why: std::io::Error| Failure::new("the server broke the connection", why);
        bytes.clear();
        loop {
            if let Some(extent) = Extent::of(bytes)?
                && bytes.len() >= extent.whole
            {
                return Ok((extent.status, Bytes::copy_from_slice(extent.body(bytes))));
            }
            if self.answers.read_buf(bytes).await.map_err(broke)? == 0 {
                return Err(broke(ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    const REQUEST: Bytes = Bytes::from_static(b"ask!");
    const ARRIVALS: Arrivals = Arrivals { rate: 1_000.0, window: Duration::from_millis(50), seed: 1 };

    /// A server that takes all connections and reads on each, and answers `answers` requests of each.
    async fn server(answers: usize) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                lines.spawn(async move {
                    let mut request = [0; 4];
                    for _ in 0..answers {
                        if stream.read_exact(&mut request).await.is_err() {
                            return;
                        }
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
                    }
                    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {}
                });
            }
        });
        (address, serving)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn all_that_is_due_is_asked_and_accounted_for() {
        let (address, _serving) = server(usize::MAX).await;
        let answers = run_within(100, address, REQUEST, ARRIVALS).await.expect("all answered");
        let due = Moments::of(ARRIVALS).count();
        assert_eq!((answers.served.len(), answers.late.len()), (due, due));
        assert!(answers.refused.is_empty() && answers.others.is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_server_that_answers_nothing_is_asked_over_so_many_connections_and_no_more() {
        let (address, _serving) = server(0).await;
        let why = run_within(3, address, REQUEST, ARRIVALS).await.expect_err("it does not answer");
        assert_eq!(why.to_string(), "the server: 3 requests are without an answer");
    }
}
