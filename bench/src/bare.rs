//! This file is where bare hyper is: a server of the same version that gives one answer to everything, on one worker.
//!
//! It reads every request to its end and answers with the bytes that the real server answered, so that all the two
//! differ in is what the real server does in between. It runs in a process of its own, on the server's core.

use std::convert::Infallible;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Stdio};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::arguments::BareArguments;
use crate::failure::{Failure, Outcome};
use crate::parent;
use crate::processor::Placement;
use crate::wire::Answer;

/// hyper writes these itself.
const OF_HYPER: [&str; 2] = ["date", "content-length"];

/// A running bare server; ended when dropped.
#[derive(Debug)]
pub(crate) struct Bare {
    child: Child,
    pub address: SocketAddr,
}

impl Bare {
    /// Starts it in that placement, giving that answer.
    pub(crate) fn start(placement: Placement, answer: &Answer, folder: &Path) -> Outcome<Self> {
        let failed = |why: String| Failure::new("the bare server", why);
        let file = folder.join("answer");
        fs::write(&file, &answer.bytes).map_err(|why| failed(why.to_string()))?;

        let program = std::env::current_exe().map_err(|why| failed(why.to_string()))?;
        let mut command = placement.command(&program);
        command.args(["bare", "--answer"]).arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn().map_err(|why| failed(why.to_string()))?;
        let mut bare = Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
        let stdout =
            bare.child.stdout.take().ok_or_else(|| failed("it has no standard output".to_owned()))?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(|why| failed(why.to_string()))?;
        bare.address = line.trim().parse().map_err(|why| failed(format!("{why}: {line}")))?;
        Ok(bare)
    }
}

impl Bare {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // A failure means that it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child process: prints its address and serves until it is ended, or nobody is there who could.
pub(crate) fn run(asked: &BareArguments) -> Outcome<()> {
    let text = fs::read(&asked.answer).map_err(|why| Failure::new("the answer to give", why))?;
    let template = parse(&text).ok_or_else(|| Failure::new("the answer to give", "it is none"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| Failure::new("the bare server's runtime", why))?;
    let (tell, gone) = oneshot::channel::<()>();
    parent::when_gone(move || drop(tell));
    let served = runtime.block_on(async {
        tokio::select! {
            served = serve(template) => served,
            _ = gone => Ok(()),
        }
    });
    served.map_err(|why| Failure::new("the bare server", why))
}

async fn serve(template: Response<Bytes>) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, template.clone()));
    }
}

async fn converse(stream: TcpStream, template: Response<Bytes>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| answer(request, &template));
    // Its failure is the peer's, who counts what was not answered.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn answer(
    request: Request<Incoming>,
    template: &Response<Bytes>,
) -> impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + use<> {
    let template = template.clone();
    async move {
        // A body that breaks off ends its connection by itself.
        let _ = request.into_body().collect().await;
        Ok(template.map(Full::new))
    }
}

fn parse(answer: &[u8]) -> Option<Response<Bytes>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let (line, fields) = head.split_once("\r\n")?;
    let mut headers = HeaderMap::new();
    for field in fields.split("\r\n") {
        let (name, value) = field.split_once(':')?;
        if !OF_HYPER.contains(&name) {
            headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?);
        }
    }
    let mut response = Response::new(Bytes::copy_from_slice(answer.get(end + 4..)?));
    *response.status_mut() = line.get(9..12)?.parse().ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_again_without_what_hyper_writes_itself() {
        let text = b"HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\ndate: today\r\n\r\nhello";
        let response = parse(text).expect("an answer");
        assert_eq!((response.status().as_u16(), response.headers().len()), (200, 1));
        assert_eq!(response.body().as_ref(), b"hello");
    }
}
