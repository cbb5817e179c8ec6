//! This file is where the log's line about a request is read: it tells the route, and nothing that the caller wrote.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gatepost_operations::config::{LogFormat, LogLevel, LogSettings};
use gatepost_operations::telemetry::logs;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;

use crate::asking::Ask;
use crate::harness::TestServer;
use crate::listening::somebody_always_listens;
use crate::serving::{h2_client, h2_request};
use crate::sockets::{Raw, server};

const SECRET: &str = "gp_live_hidden";

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The log of what happens on this thread until it is read.
struct Log(Paper, Box<dyn std::any::Any>);

impl Log {
    fn begin() -> Self {
        somebody_always_listens();
        let paper = Paper::default();
        let settings = LogSettings { format: LogFormat::Json, level: LogLevel::Trace, buffer: 1000 };
        let (subscriber, guard) = logs::subscriber(&settings, false, paper.clone());
        let listening = tracing::subscriber::set_default(subscriber);
        Self(paper, Box::new((listening, guard)))
    }

    /// Everything that was written, and the lines about requests, once there are as many as expected.
    async fn end(self, expected: usize) -> (String, Vec<Value>) {
        let Self(paper, writing) = self;
        let written = || String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        // The lines are written by a thread of its own.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while written().matches("\"request\"").count() < expected && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(writing);
        let text = written();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines = lines.filter(|line| line["message"] == "request" || line["msg"] == "request").collect();
        (text, lines)
    }
}

fn told(line: &Value) -> (&str, &str, u64) {
    (line["method"].as_str().unwrap(), line["route"].as_str().unwrap(), line["status"].as_u64().unwrap())
}

#[tokio::test]
async fn each_request_is_one_log_line_without_query_headers_or_foreign_paths() {
    let log = Log::begin();
    let server = server(|_| {});
    for request in [
        "GET /livez?client_secret=hidden1 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic hidden2\r\n\r\n",
        "GET /gp_live_hidden3 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hidden4 HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\nX: hidden5\r\n\r\n",
        "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let mut client = Raw::connect(server.address).await;
        client.say(request).await;
        client.answer().await.unwrap();
    }
    let (text, lines) = log.end(4).await;
    assert!(!text.contains("hidden"), "{text}");
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(told, [("GET", "/livez", 200), ("GET", "-", 404), ("-", "-", 400), ("GET", "/panic", 500)]);
    assert!(lines.iter().all(|line| line["request_id"].is_string() && line["ms"].is_number()), "{text}");
    assert_eq!(lines[2]["refusal"], "invalid_request");
    assert_eq!(lines[2]["reason"], "the Content-Length is not one number");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_its_path_and_method_stay_out_of_the_log() {
    let keys = "/.well-known/jwks/{file}";
    let of_keys = format!("/.well-known/jwks/{SECRET}.json");
    let nowhere = format!("/{SECRET}");
    let large = "x".repeat(70_000);
    let rows = [
        (Ask::new("TRACE", &nowhere), ("TRACE", "-", 405)),
        (Ask::post(&nowhere).header("content-encoding", "gzip").form("a"), ("POST", "-", 404)),
        (Ask::post(&of_keys).form("a"), ("POST", keys, 405)),
        (Ask::post(&nowhere).form(&large), ("POST", "-", 404)),
        (Ask::post(&of_keys).form(&large), ("POST", keys, 405)),
        (Ask::read(&of_keys), ("GET", keys, 404)),
        (Ask::new(&SECRET.repeat(4), "/livez"), ("-", "/livez", 405)),
        (Ask::post("/oauth2/token").form(&large), ("POST", "/oauth2/token", 413)),
        (Ask::read(&format!("/forward-auth?api={SECRET}")), ("GET", "/forward-auth", 403)),
    ];
    let log = Log::begin();
    let server = TestServer::start().await;
    let mut expected = Vec::new();
    for (ask, line) in rows {
        server.send(ask).await;
        expected.push(line);
    }
    let (text, lines) = log.end(expected.len()).await;
    assert!(!text.contains(SECRET), "{text}");
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_method_that_is_none_stays_out_of_the_log_over_http2_too() {
    let log = Log::begin();
    let server = server(|_| {});
    let mut client = h2_client(&server).await;
    let method = Method::from_bytes(SECRET.repeat(4).as_bytes()).unwrap();
    let request: Request<Full<Bytes>> = h2_request(method.as_str(), "/livez", Bytes::new());
    assert_eq!(client.send_request(request).await.unwrap().status().as_u16(), 405);
    let (text, lines) = log.end(1).await;
    assert!(!text.contains(SECRET), "{text}");
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), [("-", "/livez", 405)]);
}
