//! This file is where it stands what layers and handlers tell each other about one request, as extensions.

use std::net::SocketAddr;
use std::sync::Arc;

/// Who is at the other end of the connection; the connection puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The id of a request, made here; the outermost layer puts it into the request and the answer's `X-Request-Id`.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// What a handler adds to the request's log line; it puts it into its response.
#[derive(Clone, Debug, Default)]
pub struct LogFacts {
    /// The client, once it is known who that is.
    pub client_id: Option<String>,
    /// The id of the token that was issued.
    pub jti: Option<String>,
    /// What a refused caller was told.
    pub refusal: Option<&'static str>,
    /// Why, which the caller was not told.
    pub reason: Option<String>,
}
