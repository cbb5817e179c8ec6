//! This file is where what happens is noted in memory: refusals with their reasons, so that an operator who is given a
//! request id can say why.
//!
//! The ring is bounded for each client and in whole: someone who asks wrongly a million times pushes out only their own
//! refusals first. Nothing here can fail or slow a request; the price is that a restart forgets.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use gatepost_core::time::Timestamp;
use serde::Serialize;

use crate::config::Refusals;

/// One refused request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusalEvent {
    /// When.
    pub at: Timestamp,
    /// The request's id, which the caller has too.
    pub request_id: String,
    /// The client id as presented, cut to a bounded length; nobody may stand behind it.
    pub client: String,
    /// What the caller was told.
    pub code: &'static str,
    /// Why.
    pub reason: String,
}

/// What happened lately.
pub struct Journal {
    per_client: usize,
    total: usize,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<RefusalEvent>,
    counts: HashMap<String, usize>,
}

impl Journal {
    /// An empty journal with those bounds.
    pub fn new(bounds: &Refusals) -> Self {
        Self { per_client: bounds.per_client.max(1), total: bounds.total.max(1), ring: Mutex::default() }
    }

    /// Notes a refusal; of a client with too many, or when full, the oldest goes.
    pub fn refused(&self, event: RefusalEvent) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.counts.get(&event.client).is_some_and(|count| *count >= self.per_client) {
            ring.drop_oldest(|old| old.client == event.client);
        } else if ring.events.len() >= self.total {
            ring.drop_oldest(|_| true);
        }
        *ring.counts.entry(event.client.clone()).or_default() += 1;
        ring.events.push_back(event);
    }

    /// The refusals that are remembered, the newest first.
    pub fn refusals(&self) -> Vec<RefusalEvent> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.events.iter().rev().cloned().collect()
    }
}

impl Ring {
    fn drop_oldest(&mut self, which: impl Fn(&RefusalEvent) -> bool) {
        let Some(event) = self.events.iter().position(which).and_then(|at| self.events.remove(at)) else {
            return;
        };
        match self.counts.get_mut(&event.client) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(self.counts.remove(&event.client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(client: &str, number: usize) -> RefusalEvent {
        RefusalEvent {
            at: Timestamp::from_micros(0),
            request_id: number.to_string(),
            client: client.to_owned(),
            code: "invalid_client",
            reason: "wrong secret".to_owned(),
        }
    }

    #[test]
    fn a_client_that_floods_pushes_out_its_own_refusals_first() {
        let journal = Journal::new(&Refusals { per_client: 2, total: 3 });
        journal.refused(event("quiet", 0));
        (1..100).for_each(|number| journal.refused(event("loud", number)));

        let kept: Vec<_> = journal.refusals().into_iter().map(|event| event.request_id).collect();
        assert_eq!(kept, ["99", "98", "0"]);
    }

    #[test]
    fn many_clients_together_stay_within_the_whole_bound() {
        let journal = Journal::new(&Refusals { per_client: 2, total: 3 });
        (0..100).for_each(|number| journal.refused(event(&number.to_string(), number)));

        assert_eq!(journal.refusals().len(), 3);
        assert_eq!(journal.ring.lock().unwrap().counts.len(), 3);
    }
}
