//! This file is where the settings of the listeners stand: addresses, proxies, limits and times of HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Below this a request head with ordinary headers does not fit.
const SMALLEST_HEAD: u64 = 1 << 10;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "server.listen",
        Kind::Address,
        "127.0.0.1:8460",
        "The public address: tokens, keys, metadata, introspection, revocation, `/docs`.",
    ),
    Setting::new(
        "server.admin_listen",
        Kind::Address,
        "127.0.0.1:8461",
        "The address for operators: `/metrics`, `/livez`, `/readyz`. \
         It speaks plain HTTP, so that off loopback it needs `server.behind_proxy`.",
    ),
    Setting::new(
        "server.behind_proxy",
        Kind::Switch,
        "false",
        "Says that a proxy in front ends TLS, so that plain HTTP on a public address is no mistake.",
    ),
    Setting::new(
        "server.trusted_proxies",
        Kind::Networks,
        "",
        "Addresses and networks of the proxies whose `X-Forwarded-For` is believed.",
    )
    .noted("nobody's is believed"),
    Setting::new(
        "server.request_timeout",
        Kind::Duration(MS, HOUR),
        "15s",
        "How long a request may take: its body to arrive (else 408), its answer to be made (else 503).",
    ),
    Setting::new(
        "server.header_timeout",
        Kind::Duration(MS, HOUR),
        "10s",
        "How long the head of a request may take to arrive, and a new connection to send its first one.",
    ),
    Setting::new(
        "server.idle_timeout",
        Kind::Duration(MS, HOUR),
        "60s",
        "How long a connection without a request, or with one that makes no progress, stays open.",
    ),
    Setting::new(
        "server.body_limit",
        Kind::Size(0, 1 << 30),
        "64KiB",
        "The largest request body; exactly this many bytes are allowed, more is 413.",
    ),
    Setting::new(
        "server.bodies_in_flight",
        Kind::Size(1 << 20, 1 << 40),
        "64MiB",
        "What request bodies on their way may take of the memory, all together; more is 503. \
         Those of one peer may take a quarter of it; who counts as a peer is as for `server.max_connections_per_peer`.",
    ),
    Setting::new(
        "server.header_limit",
        Kind::Size(SMALLEST_HEAD, 1 << 20),
        "32KiB",
        "The largest request head (request line and headers together); more is 431.",
    ),
    Setting::new(
        "server.max_headers",
        Kind::Whole(8, 10_000),
        "100",
        "The most headers a request may have; more is 431.",
    ),
    Setting::new(
        "server.max_connections",
        Kind::Whole(1, 1_000_000),
        "10000",
        "The most connections open at a time at the public address, as far as the system's limit of open files allows. \
         Beyond it the one that has been idle longest is closed; while all are busy, further ones wait. \
         The admin address has 32 of its own.",
    ),
    Setting::new(
        "server.max_connections_per_peer",
        Kind::Whole(0, 1_000_000),
        "0",
        "The most of them from one address, or one /64 network of IPv6; beyond it the peer's own idle ones are closed, \
         then new ones refused. \
         Addresses in `server.trusted_proxies` are not counted; with `server.behind_proxy` and no such list nobody is.",
    )
    .noted("a quarter of `server.max_connections`, but no fewer than 100"),
    Setting::new(
        "server.drain",
        Kind::Duration(Duration::ZERO, HOUR),
        "5s",
        "How long `/readyz` answers 503 before a stopping server closes its door.",
    ),
    Setting::new(
        "server.shutdown_grace",
        Kind::Duration(Duration::ZERO, HOUR),
        "25s",
        "How long a stopping server waits for the requests it has begun.",
    ),
    Setting::new("server.workers", Kind::Whole(0, 1024), "0", "Threads that serve requests.")
        .noted("as many as there are cores"),
];

/// The listeners, their limits and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The public address.
    pub listen: SocketAddr,
    /// The address of console, admin API and metrics.
    pub admin_listen: SocketAddr,
    /// Whether a proxy in front ends TLS.
    pub behind_proxy: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a body may take to arrive, and an answer to be made.
    pub request_timeout: Duration,
    /// How long a head may take to arrive.
    pub header_timeout: Duration,
    /// How long a connection without progress stays open.
    pub idle_timeout: Duration,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// What all bodies on their way may take, in bytes.
    pub bodies_in_flight: usize,
    /// The largest head, in bytes.
    pub header_limit: usize,
    /// The most headers of a request.
    pub max_headers: usize,
    /// The most connections at a time at the public address.
    pub max_connections: usize,
    /// The most of them from one peer; 0 means a quarter.
    pub max_connections_per_peer: usize,
    /// How long `/readyz` says no before the door closes.
    pub drain: Duration,
    /// How long begun requests are waited for.
    pub shutdown_grace: Duration,
    /// Threads that serve requests; 0 means as many as there are cores.
    pub workers: usize,
}

impl Server {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            listen: values.address("server.listen")?,
            admin_listen: values.address("server.admin_listen")?,
            behind_proxy: values.switch("server.behind_proxy")?,
            trusted_proxies: values.networks("server.trusted_proxies")?,
            request_timeout: values.duration("server.request_timeout")?,
            header_timeout: values.duration("server.header_timeout")?,
            idle_timeout: values.duration("server.idle_timeout")?,
            body_limit: values.size("server.body_limit")?,
            bodies_in_flight: values.size("server.bodies_in_flight")?,
            header_limit: values.size("server.header_limit")?,
            max_headers: values.count("server.max_headers")?,
            max_connections: values.count("server.max_connections")?,
            max_connections_per_peer: values.count("server.max_connections_per_peer")?,
            drain: values.duration("server.drain")?,
            shutdown_grace: values.duration("server.shutdown_grace")?,
            workers: values.count("server.workers")?,
        })
    }
}
