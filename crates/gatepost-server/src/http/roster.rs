//! This file is where it is decided who may stay connected when not everyone can.
//!
//! There is room for so many connections, and for so many of one peer.
//! When it is used up, the connection that has been idle longest makes room: a peer that is at its own bound
//! loses one of its own, and otherwise anyone's goes.
//! Connections with a request in flight are never ended for others.
//! The price is one look at every open connection for each that comes while it is full.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

use super::limits::Limits;
use super::progress::Progress;

/// The open connections of a listener.
pub(super) struct Roster {
    most: usize,
    most_of_a_peer: usize,
    proxies: Vec<IpNet>,
    seats: Mutex<Seats>,
    /// Told when a connection ends or falls idle.
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Seat>,
    of_peers: HashMap<IpAddr, usize>,
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
            proxies: limits.trusted_proxies.clone(),
            seats: Mutex::default(),
            freed: Arc::default(),
        })
    }

    /// Gives a connection of that peer a place, if need be that of one which is idle.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Admission {
        let peer = self.counted(peer);
        let mut seats = self.seats();
        let of_peer = peer.and_then(|peer| seats.of_peers.get(&peer)).copied().unwrap_or(0);
        if of_peer >= self.most_of_a_peer && !seats.end_longest_idle(|seat| seat.peer == peer) {
            return Admission::TooManyOfPeer;
        }
        if seats.taken.len() >= self.most && !seats.end_longest_idle(|_| true) {
            return Admission::Full;
        }
        let (number, progress, leave) = seats.take(peer, &self.freed);
        Admission::Admitted(Place { roster: Arc::clone(self), number, progress, leave })
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
    fn take(&mut self, peer: Option<IpAddr>, freed: &Arc<Notify>) -> (u64, Arc<Progress>, Arc<Notify>) {
        let progress = Arc::new(Progress::new(Arc::clone(freed)));
        let (number, leave) = (self.next, Arc::default());
        self.next = self.next.wrapping_add(1);
        if let Some(peer) = peer {
            let count = self.of_peers.entry(peer).or_default();
            *count = count.saturating_add(1);
        }
        self.taken.insert(number, Seat { peer, progress: Arc::clone(&progress), leave: Arc::clone(&leave) });
        (number, progress, leave)
    }

    fn free(&mut self, number: u64) -> Option<Seat> {
        let seat = self.taken.remove(&number)?;
        if let Some(peer) = seat.peer
            && let Some(count) = self.of_peers.get_mut(&peer)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
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
