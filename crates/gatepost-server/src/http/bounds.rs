//! This file is where the bounds of HTTP stand together, as the listeners and layers read them.

use std::sync::Arc;
use std::time::Duration;

use gatepost_operations::config::{Config, Server, Tls};
use ipnet::IpNet;

use super::room::Room;

/// Open files that connections leave to the store, the log, the admin address and the way out.
const OTHER_FILES: usize = 64;
/// Connections at the admin address; they come out of the files left to others.
const ADMIN_CONNECTIONS: usize = 32;
/// What one peer may have at least by default, since one address can hide many callers.
const LEAST_PER_PEER: usize = 100;

/// What one connection and one request may cost.
#[derive(Debug, Clone)]
pub struct Bounds {
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
    /// How many bytes of bodies the whole server holds at a time.
    pub bodies: Arc<Room>,
    /// How many of them may be one peer's.
    pub bodies_per_peer: usize,
    /// The most connections at a time.
    pub connections: usize,
    /// The most of them from one peer.
    pub connections_per_peer: usize,
    /// Peers that others stand behind, so that their connections are not counted.
    pub trusted_proxies: Vec<IpNet>,
}

impl Bounds {
    /// The bounds that the configuration sets.
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
            bodies: Room::of(server.bodies_in_flight.max(room_for(server))),
            bodies_per_peer: bodies_per_peer(server),
            connections: server.max_connections,
            connections_per_peer: per_peer(server),
            trusted_proxies: server.trusted_proxies.clone(),
        }
    }

    /// The same for the admin address, whose connections nobody at the public one can use up.
    pub fn of_admin(&self) -> Self {
        let most = self.connections.min(ADMIN_CONNECTIONS);
        Self { connections: most, connections_per_peer: most, ..self.clone() }
    }

    /// Takes back connections that so many open files do not allow; whether there were any.
    pub fn fit(&mut self, files: usize) -> bool {
        let most = files.saturating_sub(OTHER_FILES).max(1);
        if self.connections <= most {
            return false;
        }
        self.connections = most;
        self.connections_per_peer = self.connections_per_peer.min(quarter(most));
        true
    }

    /// What must be there for the largest request that is allowed.
    pub(crate) fn least_room(&self) -> usize {
        self.body.saturating_add(self.head)
    }
}

/// A bound below the largest request would refuse it for good.
fn room_for(server: &Server) -> usize {
    server.body_limit.saturating_add(server.header_limit)
}

/// A quarter, so that it takes four to leave no room for others.
fn bodies_per_peer(server: &Server) -> usize {
    if everyone_is_one_peer(server) {
        return usize::MAX;
    }
    (server.bodies_in_flight / 4).max(room_for(server))
}

/// Everyone comes from the proxy, and it is not known which address it has.
fn everyone_is_one_peer(server: &Server) -> bool {
    server.behind_proxy && server.trusted_proxies.is_empty()
}

fn per_peer(server: &Server) -> usize {
    if everyone_is_one_peer(server) {
        return server.max_connections;
    }
    match server.max_connections_per_peer {
        0 => quarter(server.max_connections),
        most => most,
    }
}

fn quarter(connections: usize) -> usize {
    (connections / 4).max(LEAST_PER_PEER).min(connections)
}

#[cfg(test)]
mod tests {
    use gatepost_operations::config::Overrides;

    use super::*;

    fn bounds(flags: &[(&str, &str)]) -> Bounds {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Bounds::new(&Config::load(Overrides { flags, ..Overrides::default() }, []).unwrap().config)
    }

    #[test]
    fn connections_are_fitted_to_the_files_that_may_be_open() {
        let mut bounds = bounds(&[]);
        assert!(!bounds.fit(20_000));
        assert_eq!((bounds.connections, bounds.connections_per_peer), (10_000, 2_500));
        assert!(bounds.fit(1024));
        assert_eq!((bounds.connections, bounds.connections_per_peer), (960, 240));
        assert_eq!(bounds.of_admin().connections, 32, "and the admin address has its own");
    }

    #[test]
    fn a_peer_has_a_quarter_unless_it_is_told_otherwise_or_everyone_is_behind_it() {
        let per_peer = |flags: &[(&str, &str)]| bounds(flags).connections_per_peer;
        assert_eq!(per_peer(&[("server.max_connections", "200")]), 100);
        assert_eq!(per_peer(&[("server.max_connections_per_peer", "7")]), 7);
        assert_eq!(per_peer(&[("server.behind_proxy", "true")]), 10_000);
        let known = [("server.behind_proxy", "true"), ("server.trusted_proxies", "10.0.0.1")];
        assert_eq!(per_peer(&known), 2_500);
    }

    #[test]
    fn a_peer_has_a_quarter_of_the_room_for_bodies_but_room_for_the_largest() {
        let room = |flags: &[(&str, &str)]| bounds(flags).bodies_per_peer;
        assert_eq!(room(&[]), 16 << 20);
        assert_eq!(
            room(&[("server.bodies_in_flight", "1MiB"), ("server.body_limit", "8MiB")]),
            (8 << 20) + (32 << 10)
        );
        assert_eq!(room(&[("server.behind_proxy", "true")]), usize::MAX);
    }

    #[test]
    fn the_largest_request_always_has_room() {
        let bounds = bounds(&[("server.bodies_in_flight", "1MiB"), ("server.body_limit", "8MiB")]);
        assert_eq!(bounds.bodies.left(), (8 << 20) + (32 << 10));
    }
}
