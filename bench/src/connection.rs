//! This file is where the generator's one HTTP/1.1 connection is kept alive and asked.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::{Failure, Outcome};
use crate::gatepost::Credentials;

/// A request that is sent many times.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Get(String),
    /// The origin door's own form: JSON, as its page shows it.
    Token(Bytes),
    /// A form, as RFC 6749 has it: path and body.
    Form(String, Bytes),
}

impl Ask {
    pub(crate) fn token(client_id: &str, client_secret: &str) -> Self {
        let body = serde_json::json!({
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        });
        Self::Token(Bytes::from(body.to_string()))
    }

    pub(crate) fn token_of(client: &Credentials) -> Self {
        Self::token(&client.client_id, &client.client_secret)
    }

    fn request(&self, host: &str) -> Outcome<Request<Full<Bytes>>> {
        let built = match self {
            Self::Get(path) => Request::get(path.as_str()).header("host", host).body(Full::default()),
            Self::Token(body) => Request::post("/api/oauth/token")
                .header("host", host)
                .header("accept", "application/json")
                .header("content-type", "application/json")
                .body(Full::new(body.clone())),
            Self::Form(path, body) => Request::post(path.as_str())
                .header("host", host)
                .header("accept", "application/json")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Full::new(body.clone())),
        };
        built.map_err(|why| Failure::new("a request of the generator", why))
    }
}

/// A keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await.map_err(|why| Failure::new("connect", why))?;
        stream.set_nodelay(true).map_err(|why| Failure::new("TCP_NODELAY", why))?;
        let (sender, driver) =
            handshake(TokioIo::new(stream)).await.map_err(|why| Failure::new("HTTP/1.1 handshake", why))?;
        tokio::spawn(async move {
            // Its failure is the failure of the request that was under way, and is told there.
            let _ = driver.await;
        });
        Ok(Self { sender, host: address.to_string() })
    }

    /// The whole answer.
    pub(crate) async fn ask(&mut self, ask: &Ask) -> Outcome<(StatusCode, Bytes)> {
        let failed = |why| Failure::new("the server broke the connection", why);
        self.sender.ready().await.map_err(failed)?;
        let answer = self.sender.send_request(ask.request(&self.host)?).await.map_err(failed)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(failed)?;
        Ok((status, body.to_bytes()))
    }
}

/// One request on a connection of its own that must be answered with 200.
pub(crate) async fn fetch(address: SocketAddr, ask: &Ask) -> Outcome<Bytes> {
    let (status, body) = Connection::open(address).await?.ask(ask).await?;
    if status != StatusCode::OK {
        return Err(Failure::new(
            "the server answered",
            format!("{status} {}", String::from_utf8_lossy(&body)),
        ));
    }
    Ok(body)
}
