//! This file is where memory is set aside for request bodies on their way, so that all of them together stay within a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// So many bytes that may be held at a time.
#[derive(Debug)]
pub struct Room {
    left: AtomicUsize,
}

/// A share of a [`Room`]; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    room: Arc<Room>,
    bytes: usize,
}

/// The rooms that a connection's bodies must fit into, beside the whole server's; it puts them into each request.
#[derive(Debug, Clone)]
pub(crate) struct OfConnection {
    /// Its own.
    pub(crate) own: Arc<Room>,
    /// Its peer's, which all connections of the peer share.
    pub(crate) peer: Option<Arc<Room>>,
}

impl Room {
    /// Room for that many bytes.
    pub fn of(bytes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes) })
    }

    /// How many bytes are not set aside.
    pub fn left(&self) -> usize {
        self.left.load(Relaxed)
    }
}

impl Share {
    /// Nothing yet.
    pub(super) fn of(room: &Arc<Room>) -> Self {
        Self { room: Arc::clone(room), bytes: 0 }
    }

    /// Sets that many bytes more aside; false, and nothing is, when they are not there.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        let is_there = self.room.left.fetch_update(Relaxed, Relaxed, less).is_ok();
        if is_there {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        is_there
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.left.fetch_add(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_as_far_as_the_room_goes_and_gives_all_back() {
        let room = Room::of(10);
        let (mut one, mut other) = (Share::of(&room), Share::of(&room));
        assert!(one.grow(4) && other.grow(5));
        assert!(!one.grow(2), "only one is left");
        assert!(one.grow(1) && !other.grow(1));
        drop(one);
        assert_eq!(room.left(), 5);
        drop(other);
        assert_eq!(room.left(), 10);
    }
}
