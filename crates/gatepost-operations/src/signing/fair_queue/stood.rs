//! This file is where it is kept who stood: a line or crowd that stands may run empty for a moment, and that it stood is
//! remembered longer than the line. There are as many places as the queue has.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::signing::shed::Standing;

/// Who stood when nothing waited for it any more.
pub(super) struct Stood<Id> {
    standings: HashMap<Id, Standing>,
    places: usize,
}

impl<Id: Eq + Hash> Stood<Id> {
    /// With so many places.
    pub(super) fn of(places: usize) -> Self {
        Self { standings: HashMap::new(), places }
    }

    /// What is known of one who comes again; it is forgotten here.
    pub(super) fn recall(&mut self, id: &Id) -> Option<Standing> {
        if self.standings.is_empty() { None } else { self.standings.remove(id) }
    }

    /// Keeps that somebody stands, if it does and there is a place.
    pub(super) fn keep(&mut self, id: Id, standing: Standing, now: Duration) {
        if !standing.stands(now) {
            return;
        }
        if self.standings.len() >= self.places {
            self.standings.retain(|_, standing| standing.stands(now));
        }
        if self.standings.len() < self.places {
            self.standings.insert(id, standing);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.standings.len()
    }
}
