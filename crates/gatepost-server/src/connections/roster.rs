//! This file is where it is decided who may stay connected when not everyone can.
//!
//! There is room for so many connections, and for so many of one peer.
//! When it is used up, the connection that has been idle longest is asked to make room: a peer that is at its own bound
//! loses one of its own, and otherwise anyone's goes.
//! Connections with a request in flight are never ended for others. A request may also lie unread in the socket, so
//! whoever is asked is listened to for a moment more, in which it is one of a few too many; only when those few are used
//! up too, the one that was asked first is cut, unless its request has come.
//! All connections of one peer share one room for bodies, so that no peer takes the whole server's.
//! The price is a look at every open connection for each that comes while it is full.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ipnet::IpNet;
use tokio::sync::Notify;

use super::progress::Progress;
use crate::http::bounds::Bounds;
use crate::http::room::Room;

/// So many too many there may be while they are listened to a last time.
const SPARE: usize = 16;

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
    /// Those of them that were asked to leave.
    leaving: usize,
    of_peers: HashMap<IpAddr, OfPeer>,
}

/// What the connections of one peer share.
struct OfPeer {
    connections: usize,
    leaving: usize,
    room: Arc<Room>,
}

struct Seat {
    /// Nothing for proxies: others stand behind them.
    peer: Option<IpAddr>,
    progress: Arc<Progress>,
    ask: Arc<Notify>,
    leave: Arc<Notify>,
    /// Since when it is asked to leave.
    asked: Option<Instant>,
}

/// How many connections there are, those included that were asked to leave, and how many there may be.
struct Crowd {
    connections: usize,
    leaving: usize,
    most: usize,
    spare: usize,
}

/// A connection's place; dropping it frees it.
pub(super) struct Place {
    roster: Arc<Roster>,
    number: u64,
    progress: Arc<Progress>,
    ask: Arc<Notify>,
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
    pub(super) fn new(bounds: &Bounds) -> Arc<Self> {
        Arc::new(Self {
            most: bounds.connections,
            most_of_a_peer: bounds.connections_per_peer,
            room_of_a_peer: bounds.bodies_per_peer,
            proxies: bounds.trusted_proxies.clone(),
            seats: Mutex::default(),
            freed: Arc::default(),
        })
    }

    /// Gives a connection of that peer a place, if need be that of one which is idle.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Admission {
        let peer = self.counted(peer);
        let mut seats = self.seats();
        let of_peer = seats.of_peer(peer, self.most_of_a_peer);
        if !seats.make_room(&of_peer, |seat| seat.peer == peer) {
            return Admission::TooManyOfPeer;
        }
        let all = seats.all(self.most);
        if !seats.make_room(&all, |_| true) {
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
        let (number, ask, leave) = (self.next, Arc::default(), Arc::default());
        self.next = self.next.wrapping_add(1);
        let room = peer.map(|peer| {
            let none = || OfPeer { connections: 0, leaving: 0, room: Room::of(roster.room_of_a_peer) };
            let of_peer = self.of_peers.entry(peer).or_insert_with(none);
            of_peer.connections = of_peer.connections.saturating_add(1);
            Arc::clone(&of_peer.room)
        });
        let (to_ask, to_leave) = (Arc::clone(&ask), Arc::clone(&leave));
        let seat = Seat { peer, progress: Arc::clone(&progress), ask: to_ask, leave: to_leave, asked: None };
        self.taken.insert(number, seat);
        Place { roster: Arc::clone(roster), number, progress, ask, leave, room }
    }

    fn free(&mut self, number: u64) -> Option<Seat> {
        let seat = self.taken.remove(&number)?;
        let leaving = usize::from(seat.asked.is_some());
        self.leaving = self.leaving.saturating_sub(leaving);
        if let Some(peer) = seat.peer
            && let Some(of_peer) = self.of_peers.get_mut(&peer)
        {
            of_peer.connections = of_peer.connections.saturating_sub(1);
            of_peer.leaving = of_peer.leaving.saturating_sub(leaving);
            if of_peer.connections == 0 {
                self.of_peers.remove(&peer);
            }
        }
        Some(seat)
    }

    fn of_peer(&self, peer: Option<IpAddr>, most: usize) -> Crowd {
        let of_peer = peer.and_then(|peer| self.of_peers.get(&peer));
        let (connections, leaving) = of_peer.map_or((0, 0), |of_peer| (of_peer.connections, of_peer.leaving));
        Crowd { connections, leaving, most, spare: SPARE.max(most / 4) }
    }

    fn all(&self, most: usize) -> Crowd {
        // Each takes a file of the system, and there are few beside those that `most` was made of.
        Crowd { connections: self.taken.len(), leaving: self.leaving, most, spare: SPARE }
    }

    /// Makes room for one more in the crowd, if there is none; whether there is now.
    fn make_room(&mut self, crowd: &Crowd, among: impl Fn(&Seat) -> bool) -> bool {
        let is_packed = crowd.connections >= crowd.most.saturating_add(crowd.spare);
        if is_packed && !self.cut_first_asked(&among) {
            return false;
        }
        let has_room = crowd.connections.saturating_sub(crowd.leaving) < crowd.most;
        has_room || self.ask_longest_idle(&among)
    }

    /// Whether there was one to ask.
    fn ask_longest_idle(&mut self, among: impl Fn(&Seat) -> bool) -> bool {
        let staying = self.taken.values_mut().filter(|seat| seat.asked.is_none() && among(seat));
        let idle = staying.filter(|seat| !seat.progress.is_busy());
        let Some(seat) = idle.min_by_key(|seat| seat.progress.quiet_since()) else {
            return false;
        };
        seat.asked = Some(Instant::now());
        seat.ask.notify_one();
        self.leaving = self.leaving.saturating_add(1);
        if let Some(of_peer) = seat.peer.and_then(|peer| self.of_peers.get_mut(&peer)) {
            of_peer.leaving = of_peer.leaving.saturating_add(1);
        }
        true
    }

    /// Whether there was one to cut.
    fn cut_first_asked(&mut self, among: impl Fn(&Seat) -> bool) -> bool {
        let silent = self.taken.iter().filter(|(_, seat)| among(seat) && !seat.progress.is_busy());
        let asked = silent.filter_map(|(number, seat)| Some((seat.asked?, *number)));
        let Some((_, number)) = asked.min() else {
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

    /// Waits until somebody needs this place: without a request under way it is to be left soon.
    pub(super) async fn wanted(&self) {
        self.ask.notified().await;
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

#[cfg(test)]
mod tests {
    use gatepost_operations::config::{Config, Overrides};

    use super::*;

    #[test]
    fn of_those_who_make_room_only_a_few_are_listened_to_at_a_time() {
        let config = Config::load(Overrides::default(), []).unwrap().config;
        let bounds = Bounds { connections: 100, connections_per_peer: 4, ..Bounds::new(&config) };
        let roster = Roster::new(&bounds);
        let mut places = Vec::new();
        for _ in 0..300 {
            let Admission::Admitted(place) = roster.admit([192, 0, 2, 1].into()) else {
                panic!("nobody is busy");
            };
            places.push(place);
            assert!(roster.open() <= 4 + SPARE);
        }
        let busy = roster.seats().taken.values().map(|seat| Arc::clone(&seat.progress)).collect::<Vec<_>>();
        for progress in &busy {
            assert_eq!(progress.begin(), None);
        }
        assert!(matches!(roster.admit([192, 0, 2, 1].into()), Admission::TooManyOfPeer));
    }
}
