//! This file is where a listener is bound, connections are accepted, and both come to their end.
//!
//! Who may stay when there is no room for all is for [`Roster`] to say; while everyone is busy, further connections
//! wait in the kernel's queue.
//! When the server ends the door is closed first, then every connection finishes the requests it
//! has begun, and what is left after the grace is cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use gatepost_operations::telemetry::metrics::Metrics;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::{Shared, Stage, serve};
use super::roster::{Admission, Place, Roster};
use super::tls::TlsReloader;
use crate::http::bounds::Bounds;
use crate::layers::Edge;

/// Connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;
/// How long accepting pauses when the system has no room for another socket.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a lack of room is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// An address could not be listened at.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error("{0} is taken by another program; stop that or choose another port")]
    Taken(SocketAddr),
    /// This machine does not have that address.
    #[error("{0} is no address of this machine; give one it has, or 0.0.0.0 for all")]
    NotHere(SocketAddr),
    /// Ports below 1024 need a privilege.
    #[error(
        "{0} may not be listened at by this user; choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE"
    )]
    NotAllowed(SocketAddr),
    /// Anything else.
    #[error("{address} can't be listened at")]
    Other {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// A bound address that nobody is served at yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// A listener that serves; dropping it cuts its connections.
#[must_use = "dropping it ends the service"]
pub struct Served {
    address: SocketAddr,
    stage: watch::Sender<Stage>,
    accepting: JoinHandle<()>,
    roster: Arc<Roster>,
}

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Connections that were cut because the grace was over.
    pub cut: usize,
}

impl Listener {
    /// Listens at that address; port 0 takes a free one.
    ///
    /// Nothing is accepted before [`serve`](Self::serve), but the kernel lets clients connect from now on.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bound = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            // Without it a restart has to wait until old connections are forgotten.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bound().map_err(|source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken(address),
            io::ErrorKind::AddrNotAvailable => BindError::NotHere(address),
            io::ErrorKind::PermissionDenied => BindError::NotAllowed(address),
            _ => BindError::Other { address, source },
        })
    }

    /// The address with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves everyone who connects, with TLS if that is given.
    pub fn serve(
        self,
        edge: Edge,
        tls: Option<Arc<TlsReloader>>,
        bounds: &Arc<Bounds>,
        metrics: &Arc<Metrics>,
    ) -> Served {
        let roster = Roster::new(bounds);
        let (stage, heard) = watch::channel(Stage::Open);
        let shared = Shared::new(edge, Arc::clone(bounds), Arc::clone(metrics));
        let acceptor = Acceptor {
            socket: self.socket,
            tls,
            shared,
            roster: Arc::clone(&roster),
            stage: heard,
            told: None,
        };
        let accepting = tokio::spawn(acceptor.accept_all());
        Served { address: self.address, stage, accepting, roster }
    }
}

impl Served {
    /// The address that is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, lets every connection finish what it has begun, and cuts what is left after the grace.
    pub async fn close(self, grace: Duration) -> Closed {
        // Nobody hears it only if the door is closed already.
        let _ = self.stage.send(Stage::Draining);
        let _ = self.accepting.await;
        let cut = match timeout(grace, self.roster.all_left()).await {
            Ok(()) => 0,
            Err(_) => self.roster.open(),
        };
        let _ = self.stage.send(Stage::Cut);
        Closed { cut }
    }
}

/// The accepting side.
struct Acceptor {
    socket: TcpListener,
    tls: Option<Arc<TlsReloader>>,
    shared: Shared,
    roster: Arc<Roster>,
    stage: watch::Receiver<Stage>,
    told: Option<Instant>,
}

impl Acceptor {
    async fn accept_all(mut self) {
        loop {
            let accepted = tokio::select! {
                _ = self.stage.changed() => return self.accept_waiting(),
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.seat(stream, peer).await,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if self.may_tell() {
                        tracing::error!(%error, "no connection can be accepted; if files are short, raise the limit (ulimit -n)");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Takes in those whom the kernel has let in already: closing the socket would reset them.
    fn accept_waiting(&self) {
        while let Some(Ok((stream, peer))) = self.socket.accept().now_or_never() {
            if let Admission::Admitted(place) = self.roster.admit(peer.ip()) {
                self.welcome(stream, peer, place);
            }
        }
    }

    /// Serves the connection once there is a place for it; nobody else is accepted meanwhile.
    async fn seat(&mut self, stream: TcpStream, peer: SocketAddr) {
        loop {
            match self.roster.admit(peer.ip()) {
                Admission::Admitted(place) => return self.welcome(stream, peer, place),
                Admission::TooManyOfPeer => {
                    if self.may_tell() {
                        tracing::warn!(peer = %peer.ip(), "a peer has too many connections, all of them busy; see server.max_connections_per_peer");
                    }
                    return;
                }
                Admission::Full => {
                    if self.may_tell() {
                        tracing::warn!(
                            "all connections are busy, and further ones wait; see server.max_connections"
                        );
                    }
                    // Looked at, not awaited as a change: the caller has to see it too.
                    let mut stage = self.stage.clone();
                    tokio::select! {
                        () = self.roster.freed() => {}
                        _ = stage.changed() => return,
                    }
                }
            }
        }
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        // Answers are one write each: waiting to fill a packet only costs time.
        let _ = stream.set_nodelay(true);
        let shared = self.shared.clone();
        let tls = self.tls.clone();
        let stage = self.stage.clone();
        tokio::spawn(async move {
            shared.metrics.connection_opened();
            tokio::select! {
                () = place.lost() => {}
                () = converse(stream, peer, tls, (&shared, stage), &place) => {}
            }
            shared.metrics.connection_closed();
            drop(place);
        });
    }

    /// Whether a second has passed since something was told: a flood must not become one of lines.
    fn may_tell(&mut self) -> bool {
        let may = self.told.is_none_or(|last| last.elapsed() >= TELL_EVERY);
        if may {
            self.told = Some(Instant::now());
        }
        may
    }
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<TlsReloader>>,
    (shared, stage): (&Shared, watch::Receiver<Stage>),
    place: &Place,
) {
    let Some(tls) = tls else {
        return serve(stream, peer, place, shared, stage).await;
    };
    if let Some(stream) = tls.accept(stream, shared.bounds.handshake_timeout, &shared.metrics).await {
        serve(stream, peer, place, shared, stage).await;
    }
}

/// Errors that came with one connection and say nothing about the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
