//! This file is where a few requests are made by hand, over a plain socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::program::PATIENCE;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.unwrap_or(0), head: head.to_lowercase(), body: body.to_owned() }
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The text of a request whose answer ends the connection.
pub(crate) fn request(address: SocketAddr, line: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

pub(crate) fn answer(stream: &mut TcpStream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    Answer::parse(&text)
}

pub(crate) fn ask(address: SocketAddr, line: &str, headers: &[&str], body: &str) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request(address, line, headers, body).as_bytes()).unwrap();
    answer(&mut stream)
}

/// Asks for a token at this path with the credentials in the body.
pub(crate) fn ask_token(address: SocketAddr, path: &str, client: &str, secret: &str) -> Answer {
    let body = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    ask(address, &format!("POST {path}"), &["Content-Type: application/x-www-form-urlencoded"], &body)
}

/// Base64 with padding, as Basic wants it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let url = gatepost_operations::jose::base64url::encode(bytes).replace('-', "+").replace('_', "/");
    let padding = (4 - url.len() % 4) % 4;
    url + &"=".repeat(padding)
}
