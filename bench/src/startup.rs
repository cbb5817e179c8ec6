//! This file is where the time from exec to the first 200 of /readyz is measured, on state that already exists.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::{Failure, Outcome};
use crate::gatepost::{Installation, Server};
use crate::processor::Placement;
use crate::statistics::Quartiles;

/// A server that is not ready by then has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// The starts of one run, in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Startup {
    pub starts_ms: Vec<f64>,
    pub quartiles_ms: Quartiles,
}

impl fmt::Display for Startup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.quartiles_ms;
        write!(
            out,
            "exec to first 200 of /readyz: median {:.1} ms, quartiles {:.1} to {:.1}, of {} starts",
            figures.median,
            figures.lower,
            figures.upper,
            self.starts_ms.len()
        )
    }
}

pub(crate) async fn measure(installation: &Installation, starts: u32) -> Outcome<Startup> {
    // The first start after `init` may still finish what `init` began; it is not counted.
    drop(installation.serve(Placement::Shared)?);
    let mut starts_ms = Vec::new();
    for _ in 0..starts {
        let address = free_address()?;
        let began = Instant::now();
        let mut server = installation.exec(address)?;
        first_ready(&mut server, began).await?;
        starts_ms.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Startup { quartiles_ms: Quartiles::of(&starts_ms), starts_ms })
}

/// Asks every millisecond until the answer is 200.
async fn first_ready(server: &mut Server, began: Instant) -> Outcome<()> {
    while !ready(server.address).await {
        if let Some(status) = server.ended() {
            return Err(Failure::new("gatepost serve ended before it was ready", status));
        }
        if began.elapsed() > DEADLINE {
            return Err(Failure::new("/readyz", format!("no 200 within {DEADLINE:?}")));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

async fn ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return false;
    };
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut status = [0; 12];
    stream.write_all(request.as_bytes()).await.is_ok()
        && stream.read_exact(&mut status).await.is_ok()
        && &status == b"HTTP/1.1 200"
}

/// A port that was free a moment ago; known before the start, so that asking can begin with it.
fn free_address() -> Outcome<SocketAddr> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map_err(|why| Failure::new("no free port on 127.0.0.1", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_200_is_ready() {
        for (answer, expected) in
            [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 Busy\r\n\r\n", false), ("", false)]
        {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let served = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("the prober comes");
                let mut request = [0; 256];
                let _ = stream.read(&mut request).await;
                stream.write_all(answer.as_bytes()).await.expect("the prober reads");
            });
            assert_eq!(ready(address).await, expected, "{answer:?}");
            served.await.expect("it served");
        }
    }
}
