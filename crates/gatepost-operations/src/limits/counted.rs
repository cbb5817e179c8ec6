//! This file is where the clients that have limits are counted, each by itself.
//!
//! The idea: a map in many parts, so that clients seldom wait for one another; only clients that proved who they are and
//! have a limit get into it. The limit: so many clients at most; the ones of which nothing is lost by forgetting make
//! room, and if there is none such, who is new is told to come later.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::limits::{Allowance, ClientLimits, Issued, Rate, Tally, Verdict, admit};
use gatepost_core::time::Timestamp;
use gatepost_core::usage::Hour;

const PARTS: usize = 64;
/// The most clients of a part: 262,144 in all.
const MOST_OF_A_PART: usize = 4_096;
/// A part without room is looked through for it so often at most.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);
/// What others granted is looked up anew when it was looked up longer ago.
const STALE: Duration = Duration::from_secs(3);

/// The clients with limits.
pub(super) struct Counted {
    hasher: RandomState,
    parts: Vec<Mutex<Part>>,
}

/// A part of the map, with room for so many.
struct Part {
    most: usize,
    swept: Timestamp,
    clients: HashMap<ClientId, State>,
}

struct State {
    /// Until when the requests so far are paid for.
    until: Timestamp,
    /// What the last of them was held against.
    rate: Rate,
    tally: Option<Known>,
}

/// The tokens of a client with a quota, as far as this node knows.
struct Known {
    tally: Tally,
    looked: Timestamp,
    /// Whether it was asked for since others' grants were last looked up.
    touched: bool,
}

/// What is known of the tokens of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// Nothing: the store must be asked.
    None,
    /// Something, but the store should be asked again, beside the requests; who hears this is the one to see to it.
    Stale,
    /// Enough.
    Fresh,
}

impl Default for Counted {
    fn default() -> Self {
        Self::with_room(MOST_OF_A_PART)
    }
}

impl Counted {
    fn with_room(most: usize) -> Self {
        let never = Timestamp::from_micros(i64::MIN);
        let part = |_| Mutex::new(Part { most, swept: never, clients: HashMap::new() });
        Self { hasher: RandomState::default(), parts: (0..PARTS).map(part).collect() }
    }

    /// Holds one more request against the rate; `None` when there is no room to count.
    pub(super) fn admit(&self, client: &ClientId, rate: Rate, now: Timestamp) -> Option<Verdict> {
        let mut part = self.part(client)?;
        let state = part.room(client, now)?;
        let verdict = admit(rate, state.until, now);
        state.rate = rate;
        state.until = match verdict {
            Verdict::Admitted { until, .. } | Verdict::Refused { until, .. } => until,
        };
        Some(verdict)
    }

    /// What is known of the tokens of a client; the first who hears `Stale` is to have the store asked.
    pub(super) fn knowledge(&self, client: &ClientId, now: Timestamp) -> Knowledge {
        let mut part = self.part(client);
        let known = part
            .as_mut()
            .and_then(|part| part.clients.get_mut(client))
            .and_then(|state| state.tally.as_mut());
        match known {
            None => Knowledge::None,
            Some(known) if now.since(known.looked) > STALE || now < known.looked => {
                (known.looked, known.touched) = (now, true);
                Knowledge::Stale
            }
            Some(_) => Knowledge::Fresh,
        }
    }

    /// Counts one more token, or says which quota is used up; `None` when the client's tokens are not known.
    pub(super) fn take(
        &self,
        client: &ClientId,
        limits: &ClientLimits,
        now: Timestamp,
    ) -> Option<Result<Vec<Allowance>, Allowance>> {
        let mut part = self.part(client)?;
        let known = part.clients.get_mut(client)?.tally.as_mut()?;
        known.touched = true;
        Some(known.tally.take(limits, now))
    }

    /// How the quotas of a client stand; nothing of a client that is not known.
    pub(super) fn standing(
        &self,
        client: &ClientId,
        limits: &ClientLimits,
        now: Timestamp,
    ) -> Vec<Allowance> {
        let mut standing = Vec::new();
        self.with_known(client, |known| {
            known.touched = true;
            standing = known.tally.standing(limits, now);
        });
        standing
    }

    /// A token that was counted at `at` never got out.
    pub(super) fn give_back(&self, client: &ClientId, at: Timestamp) {
        self.with_known(client, |known| known.tally.give_back(at));
    }

    /// So many tokens of that hour are in the store now.
    pub(super) fn written(&self, client: &ClientId, hour: Hour, tokens: u64) {
        self.with_known(client, |known| known.tally.written(hour, tokens));
    }

    /// Begins with what the store said about the day and month of `asked`; `None` when there is no room.
    ///
    /// Of several that met the client at the same moment the first one counts: what the store said to the others may
    /// hold what was granted since.
    pub(super) fn met(
        &self,
        client: &ClientId,
        stored: Issued,
        asked: Timestamp,
        now: Timestamp,
    ) -> Option<()> {
        let mut part = self.part(client)?;
        let state = part.room(client, now)?;
        let begun = || Known { tally: Tally::begun(stored, asked), looked: now, touched: true };
        state.tally.get_or_insert_with(begun);
        Some(())
    }

    /// Takes up what the store said anew about a client that is known.
    pub(super) fn refreshed(&self, client: &ClientId, stored: Issued, asked: Timestamp, now: Timestamp) {
        self.with_known(client, |known| {
            known.tally.refreshed(stored, asked, now);
            known.looked = now;
        });
    }

    /// The clients with a quota that were asked for since the last time, at most so many.
    pub(super) fn touched(&self, most: usize) -> Vec<ClientId> {
        let mut touched = Vec::new();
        for part in &self.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            for (client, state) in &mut part.clients {
                if touched.len() >= most {
                    return touched;
                }
                if let Some(known) = state.tally.as_mut().filter(|known| known.touched) {
                    known.touched = false;
                    touched.push(client.clone());
                }
            }
        }
        touched
    }

    fn with_known(&self, client: &ClientId, change: impl FnOnce(&mut Known)) {
        if let Some(mut part) = self.part(client)
            && let Some(known) = part.clients.get_mut(client).and_then(|state| state.tally.as_mut())
        {
            change(known);
        }
    }

    fn part(&self, client: &ClientId) -> Option<MutexGuard<'_, Part>> {
        let place = usize::try_from(self.hasher.hash_one(client)).unwrap_or(0) % PARTS;
        self.parts.get(place).map(|part| part.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Part {
    /// The client's place; room for it is made by forgetting those of whom nothing is lost.
    fn room(&mut self, client: &ClientId, now: Timestamp) -> Option<&mut State> {
        if self.clients.len() >= self.most && !self.clients.contains_key(client) {
            self.sweep(now);
            if self.clients.len() >= self.most {
                return None;
            }
        }
        let none = || State { until: Timestamp::from_micros(i64::MIN), rate: Rate::OFF, tally: None };
        Some(self.clients.entry(client.clone()).or_insert_with(none))
    }

    fn sweep(&mut self, now: Timestamp) {
        if now >= self.swept && now.since(self.swept) < BETWEEN_SWEEPS {
            return;
        }
        self.swept = now;
        self.clients.retain(|_, state| !state.is_forgettable(now));
    }
}

impl State {
    fn is_forgettable(&self, now: Timestamp) -> bool {
        !self.counts(now) && self.tally.as_ref().is_none_or(|known| known.tally.is_written())
    }

    /// Whether its requests still matter. Paid for further ahead than the rate allows means that the clock went back.
    fn counts(&self, now: Timestamp) -> bool {
        self.until > now && self.until.since(now) <= self.rate.window()
    }
}

#[cfg(test)]
mod tests;
