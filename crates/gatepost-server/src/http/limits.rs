//! This file is where the limits of HTTP stand together, as the listeners and layers read them.

use std::time::Duration;

use gatepost_operations::config::{Config, Server, Tls};
use ipnet::IpNet;

/// What one connection and one request may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a body may take to arrive, and then its answer to be made.
    pub request_timeout: Duration,
    /// How long a head may take to arrive.
    pub header_timeout: Duration,
    /// How long a connection without progress stays open.
    pub idle_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// The largest body, in bytes; exactly this many are allowed.
    pub body: usize,
    /// The largest head, in bytes.
    pub head: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// The most connections at a time at one address.
    pub connections: usize,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Limits {
    /// The limits that the configuration sets.
    pub fn new(config: &Config) -> Self {
        Self::of(&config.server, &config.tls)
    }

    fn of(server: &Server, tls: &Tls) -> Self {
        Self {
            request_timeout: server.request_timeout,
            header_timeout: server.header_timeout,
            idle_timeout: server.idle_timeout,
            handshake_timeout: tls.handshake_timeout,
            body: server.body_limit,
            head: server.header_limit,
            headers: server.max_headers,
            connections: server.max_connections,
            trusted_proxies: server.trusted_proxies.clone(),
        }
    }
}
