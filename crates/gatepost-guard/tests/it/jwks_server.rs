//! This file is where the tests serve key sets on a loopback port, well or badly.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::{Router, routing::get};
use gatepost_guard::jose::{JwkSet, SigningKey};
use gatepost_guard::{JwksUrl, KeySource};
use tokio::net::TcpListener;

use super::mint::public;

/// What the server answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// This set, with its own ETag, which is honoured.
    Set(String),
    /// This text, of this media type.
    Text(&'static str, String),
    /// Only a status.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// A set that says it is compressed.
    Compressed(Vec<u8>),
    /// The head of an answer whose body never comes.
    Drip,
}

/// A server on a free port, gone with the test.
#[derive(Clone)]
pub(crate) struct JwksServer {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    hits: AtomicUsize,
}

impl JwksServer {
    pub(crate) async fn with_keys(keys: &[&SigningKey]) -> Self {
        Self::with(Answer::Set(set(keys))).await
    }

    pub(crate) async fn with(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { answer: Mutex::new(answer), hits: AtomicUsize::new(0) });
        let app: Router = Router::new().fallback(get(respond)).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, shared }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        self.answer(Answer::Set(set(keys)));
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/.well-known/jwks/api.json", self.port)
    }

    pub(crate) fn source(&self) -> JwksUrl {
        JwksUrl::new(&self.url()).unwrap()
    }

    /// How many requests came.
    pub(crate) fn hits(&self) -> usize {
        self.shared.hits.load(Ordering::SeqCst)
    }
}

/// The set as it is published.
pub(crate) fn set(keys: &[&SigningKey]) -> String {
    serde_json::to_string(&JwkSet::of(&public(keys))).unwrap()
}

/// One fetch, without a guard.
pub(crate) async fn fetch(source: &JwksUrl) -> Result<gatepost_guard::Fetched, gatepost_guard::FetchError> {
    source.fetch(None).await
}

async fn respond(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    shared.hits.fetch_add(1, Ordering::SeqCst);
    let answer = shared.answer.lock().unwrap().clone();
    let response = Response::builder();
    let response = match answer {
        Answer::Set(set) => return set_response(set, &headers),
        Answer::Text(media_type, text) => response.header("content-type", media_type).body(text.into()),
        Answer::Status(status) => response.status(status).body(Body::empty()),
        Answer::Redirect(to) => response.status(302).header("location", to).body(Body::empty()),
        Answer::Compressed(bytes) => response
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(Bytes::from(bytes).into()),
        Answer::Drip => {
            response.header("content-type", "application/json").body(Body::new(NeverEnding { begun: false }))
        }
    };
    response.unwrap()
}

/// A body that begins and never ends.
struct NeverEnding {
    begun: bool,
}

impl hyper::body::Body for NeverEnding {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        if self.begun {
            return Poll::Pending;
        }
        self.begun = true;
        Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(b"{\"keys\":[")))))
    }
}

fn set_response(set: String, headers: &HeaderMap) -> Response<Body> {
    let etag = format!("\"{}\"", set.len().wrapping_mul(31).wrapping_add(set.bytes().map(usize::from).sum()));
    let known = headers.get("if-none-match").is_some_and(|known| known == etag.as_str());
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("cache-control", "public, max-age=300")
        .header("etag", etag);
    if known { response.status(304).body(Body::empty()) } else { response.body(set.into()) }.unwrap()
}
