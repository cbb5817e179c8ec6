//! This file is where the server that serves the folder is asked, over loopback, who it says it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::Check;
use crate::gate::Gate;
use crate::running::{self, Running};

const PATIENCE: Duration = Duration::from_secs(3);

/// More than the metadata has.
const MOST: u64 = 64 * 1_024;

const PATH: &str = "/.well-known/oauth-authorization-server";

/// Whether the running server answers with the issuer that this command would use.
pub(super) async fn check(gate: &Gate) -> Check {
    let Some(server) = running::look(&gate.config.data) else {
        return Check::ok("server", "none runs on this folder");
    };
    let Some((address, host)) = reached(&server) else {
        return Check::ok("server", format!("process {} runs; its address was not asked", server.pid));
    };
    if server.public_url.starts_with("https:") {
        return tcp_only(&server, address).await;
    }
    match timeout(PATIENCE, metadata(address, &host)).await {
        Ok(Ok(issuer)) => compare(gate, &server, &issuer),
        Ok(Err(why)) => silent(&server, &why),
        Err(_) => silent(&server, "no answer within 3 seconds"),
    }
}

/// Whose certificate it is can't be judged over loopback, so with TLS only the port is tried.
async fn tcp_only(server: &Running, address: SocketAddr) -> Check {
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Check::ok("server", format!("process {} listens on {address} (TLS)", server.pid)),
        Ok(Err(error)) => silent(server, &error.to_string()),
        Err(_) => silent(server, "no connection within 3 seconds"),
    }
}

fn compare(gate: &Gate, server: &Running, issuer: &str) -> Check {
    if issuer == gate.issuer.as_str() {
        return Check::ok("server", format!("process {} answers as {issuer}", server.pid));
    }
    let what = "the running server names another issuer";
    let why = format!("it says {issuer}, the settings of this command say {}", gate.issuer.as_str());
    let fix = "restart the server, or give this command the settings of the server";
    Check::fail("server", what, why, fix)
}

fn silent(server: &Running, why: &str) -> Check {
    let what = format!("process {} does not answer at {}", server.pid, server.public_url);
    Check::fail("server", what, why, "look at its log, then restart it")
}

/// Where it is reached from this machine, and the name that it expects.
fn reached(server: &Running) -> Option<(SocketAddr, String)> {
    let url = Url::parse(&server.public_url).ok()?;
    let port = url.port_or_known_default()?;
    let ip = match url.host()? {
        url::Host::Ipv4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        url::Host::Ipv6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        url::Host::Ipv4(ip) => IpAddr::V4(ip),
        url::Host::Ipv6(ip) => IpAddr::V6(ip),
        url::Host::Domain(_) => return None,
    };
    Some((SocketAddr::new(ip, port), format!("{}:{port}", url.host_str()?)))
}

/// The issuer that the metadata (RFC 8414) names.
async fn metadata(address: SocketAddr, host: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await.map_err(|error| error.to_string())?;

    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or("what came back is no HTTP answer")?;
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 200 ") && !status.ends_with(" 200") {
        return Err(format!("it answered {}", status.escape_debug()));
    }
    let document: serde_json::Value =
        serde_json::from_str(body).map_err(|_| "its metadata is no JSON".to_owned())?;
    let issuer = document.get("issuer").and_then(serde_json::Value::as_str);
    issuer.map(str::to_owned).ok_or_else(|| "its metadata names no issuer".to_owned())
}
