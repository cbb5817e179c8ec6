//! This file is where it is decided who may stay connected when not everyone can.
//!
//! There is room for so many connections, and for so many of one peer.
//! When it is used up, the connection that has been idle longest makes room: a peer that is at its own bound
//! loses one of its own, and otherwise anyone's goes.
//! Connections with a request in flight are never ended for others.
//! All connections of one peer share one room for bodies, so that no peer takes the whole server's.
//! The price is one look at every open connection for each that comes while it is full.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

use super::limits::Limits;
use super::progress::Progress;
use super::room::Room;

/// The open connections of a listener.
pub(super) struct Roster {
    most: usize,
    most_of_a_peer: usize,
    room_of_a_peer: usize,
    proxies: Vec<IpNet>,
    seats: Mutex<Seats>,
    /// Told when a connection ends or falls idle.
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Seat>,
    of_peers: HashMap<IpAddr, OfPeer>,
}

/// What the connections of one peer share.
struct OfPeer {
    connections: usize,
    room: Arc<Room>,
}

struct Seat {
    /// Nothing for proxies: others stand behind them.
    peer: Option<IpAddr>,
    progress: Arc<Progress>,
    leave: Arc<Notify>,
}

/// A connection's place; dropping it frees it.
pub(super) struct Place {
    roster: Arc<Roster>,
    number: u64,
    progress: Arc<Progress>,
    leave: Arc<Notify>,
    room: Option<Arc<Room>>,
}

/// Whether a connection may stay.
pub(super) enum Admission {
    Admitted(Place),
    /// Everyone else is busy; somebody will leave.
    Full,
    /// All connections of that peer are busy, and there must be no more of them.
    TooManyOfPeer,
}

impl Roster {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            most: limits.connections,
            most_of_a_peer: limits.connections_per_peer,
            room_of_a_peer: limits.bodies_per_peer,
            proxies: limits.trusted_proxies.clone(),
            seats: Mutex::default(),
            freed: Arc::default(),
        })
    }

    /// Gives a connection of that peer a place, if need be that of one which is idle.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Admission {
        let peer = self.counted(peer);
        let mut seats = self.seats();
        let of_peer =
            peer.and_then(|peer| seats.of_peers.get(&peer)).map_or(0, |of_peer| of_peer.connections);
        if of_peer >= self.most_of_a_peer && !seats.end_longest_idle(|seat| seat.peer == peer) {
            return Admission::TooManyOfPeer;
        }
        if seats.taken.len() >= self.most && !seats.end_longest_idle(|_| true) {
            return Admission::Full;
        }
        Admission::Admitted(seats.take(peer, self))
    }

    /// Waits until somebody has left or fallen idle since the last time this was asked.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Waits until everybody has left.
    pub(super) async fn all_left(&self) {
        while self.open() > 0 {
            self.freed().await;
        }
    }

    /// How many are connected.
    pub(super) fn open(&self) -> usize {
        self.seats().taken.len()
    }

    /// As whom that peer is counted: a whole network of IPv6, since that is what one host has.
    fn counted(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if self.proxies.iter().any(|net| net.contains(&peer)) {
            return None;
        }
        Some(match peer {
            IpAddr::V4(_) => peer,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn take(&mut self, peer: Option<IpAddr>, roster: &Arc<Roster>) -> Place {
        let progress = Arc::new(Progress::new(Arc::clone(&roster.freed)));
        let (number, leave) = (self.next, Arc::default());
        self.next = self.next.wrapping_add(1);
        let room = peer.map(|peer| {
            let none = || OfPeer { connections: 0, room: Room::of(roster.room_of_a_peer) };
            let of_peer = self.of_peers.entry(peer).or_insert_with(none);
            of_peer.connections = of_peer.connections.saturating_add(1);
            Arc::clone(&of_peer.room)
        });
        self.taken.insert(number, Seat { peer, progress: Arc::clone(&progress), leave: Arc::clone(&leave) });
        Place { roster: Arc::clone(roster), number, progress, leave, room }
    }

    fn free(&mut self, number: u64) -> Option<Seat> {
        let seat = self.taken.remove(&number)?;
        if let Some(peer) = seat.peer
            && let Some(of_peer) = self.of_peers.get_mut(&peer)
        {
            of_peer.connections = of_peer.connections.saturating_sub(1);
            if of_peer.connections == 0 {
                self.of_peers.remove(&peer);
            }
        }
        Some(seat)
    }

    /// Whether there was one to end.
    fn end_longest_idle(&mut self, among: impl Fn(&Seat) -> bool) -> bool {
        let idle = self.taken.iter().filter(|(_, seat)| among(seat) && !seat.progress.is_busy());
        let Some(number) =
            idle.min_by_key(|(_, seat)| seat.progress.quiet_since()).map(|(number, _)| *number)
        else {
            return false;
        };
        if let Some(seat) = self.free(number) {
            seat.leave.notify_one();
        }
        true
    }
}

impl Place {
    /// What the connection is doing.
    pub(super) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// What the bodies of its peer may take; nothing for proxies.
    pub(super) fn room(&self) -> Option<&Arc<Room>> {
        self.room.as_ref()
    }

    /// Waits until another connection gets this place.
    pub(super) async fn lost(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.roster.seats().free(self.number);
        self.roster.freed.notify_one();
    }
}
