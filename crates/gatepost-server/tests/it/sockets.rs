//! This file is where the other side of the wire is: a small server to talk to, and sockets that say whatever a test wants.

use std::io::Write as _;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use gatepost_operations::config::{Config, Overrides};
use gatepost_operations::telemetry::metrics::Metrics;
use gatepost_server::connections::listen::{Listener, Served};
use gatepost_server::connections::tls::TlsReloader;
use gatepost_server::http::bounds::Bounds;
use gatepost_server::layers::{Edge, RequestIds};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Long enough for anything that happens at all.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A server with a few small routes.
pub(crate) struct Server {
    pub(crate) served: Served,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) seen: Arc<Seen>,
}

/// What the handlers saw, and what they wait for.
#[derive(Default)]
pub(crate) struct Seen {
    /// Requests that reached a route nobody asked for.
    pub(crate) smuggled: AtomicU64,
    /// Told when `/held` has begun.
    pub(crate) begun: Notify,
    /// Lets `/held` answer.
    pub(crate) release: Notify,
}

pub(crate) fn bounds() -> Bounds {
    let loaded = Config::load(Overrides::default(), []).unwrap();
    Bounds::new(&loaded.config)
}

/// A server with the default bounds, changed.
pub(crate) fn server(change: impl FnOnce(&mut Bounds)) -> Server {
    server_with(change, None)
}

pub(crate) fn server_with(change: impl FnOnce(&mut Bounds), tls: Option<Arc<TlsReloader>>) -> Server {
    let mut bounds = bounds();
    change(&mut bounds);
    let bounds = Arc::new(bounds);
    let metrics = Arc::new(Metrics::default());
    let seen = Arc::new(Seen::default());
    let edge = Edge::new(routes(&seen), Arc::clone(&bounds), Arc::clone(&metrics), request_ids());
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr();
    let served = listener.serve(edge, tls, &bounds, &metrics);
    Server { served, address, metrics, seen }
}

fn request_ids() -> RequestIds {
    let next = AtomicU64::new(1);
    Arc::new(move || format!("id-{}", next.fetch_add(1, Ordering::Relaxed)).into())
}

fn routes(seen: &Arc<Seen>) -> Router {
    let (smuggled, held, held_with_body) = (Arc::clone(seen), Arc::clone(seen), Arc::clone(seen));
    Router::new()
        .route("/oauth2/token", post(token))
        .route("/.well-known/jwks.json", get(|| async { "keys" }))
        .route("/livez", get(|| async { "ok" }))
        .route("/held", get(move || hold(held)).post(move |_: Bytes| hold(held_with_body)))
        .route("/never", get(std::future::pending::<()>))
        .route("/panic", get(panic_now))
        .route("/large", get(|| async { "x".repeat(8 << 20) }))
        .route(
            "/admin/v1/clients",
            get(move || async move {
                smuggled.smuggled.fetch_add(1, Ordering::Relaxed);
            }),
        )
}

/// Like the real one, it has something to refuse when nothing is sent.
async fn token(body: Bytes) -> (StatusCode, String) {
    let status = if body.is_empty() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    (status, format!("got {}", body.len()))
}

async fn hold(seen: Arc<Seen>) -> &'static str {
    seen.begun.notify_one();
    seen.release.notified().await;
    "released"
}

async fn panic_now() {
    panic!("gp_live_secret in a panic message");
}

/// A client that says exactly what it is told.
pub(crate) struct Raw<S> {
    stream: S,
    buffer: Vec<u8>,
}

/// One answer off the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Raw<TcpStream> {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }

    /// A connection whose bytes, and the end of its stream, are there before the server has seen any of them.
    pub(crate) fn with_its_end(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Self {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(bytes.as_ref()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self::new(TcpStream::from_std(stream).unwrap())
    }

    /// Cuts the connection with a reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // The server may have answered and gone before everything was said; that shows when reading.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    pub(crate) async fn say_no_more(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next answer; nothing when the connection is closed instead.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        timeout(SOON, self.next_answer()).await.expect("neither an answer nor the end came")
    }

    async fn next_answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(answer) = self.take_answer() {
                return Some(answer);
            }
            if !self.read_more().await {
                assert!(self.buffer.is_empty(), "cut: {}", String::from_utf8_lossy(&self.buffer));
                return None;
            }
        }
    }

    /// Waits until the server closes; whatever it still says is lost.
    pub(crate) async fn closed(&mut self) {
        let end = async { while self.read_more().await {} };
        timeout(SOON, end).await.expect("the connection was not closed");
    }

    async fn read_more(&mut self) -> bool {
        let mut chunk = vec![0; 65_536];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.buffer.extend_from_slice(&chunk[..length]);
                true
            }
        }
    }

    fn take_answer(&mut self) -> Option<Answer> {
        let end = self.buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if self.buffer.len() < end + length {
            return None;
        }
        answer.body = String::from_utf8(self.buffer[end..end + length].to_vec()).unwrap();
        self.buffer.drain(..end + length);
        Some(answer)
    }
}

pub(crate) fn asking_for(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Waits until something is true.
pub(crate) async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let wait = async {
        while !is_true() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, wait).await.unwrap_or_else(|_| panic!("never came: {what}"));
}
