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
        let none = || State { until: Timestamp::from_micros(i64::MIN), tally: None };
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
        self.until <= now && self.tally.as_ref().is_none_or(|known| known.tally.is_written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000 + seconds * 1_000_000)
    }

    fn client(number: usize) -> ClientId {
        ClientId::parse(&format!("client-{number}")).unwrap()
    }

    fn held(counted: &Counted) -> usize {
        counted.parts.iter().map(|part| part.lock().unwrap().clients.len()).sum()
    }

    #[test]
    fn more_clients_than_fit_make_room_for_one_another_once_they_are_idle() {
        let counted = Counted::with_room(4);
        let rate = Rate::parse("10/min").unwrap();
        let asked = |clients: std::ops::Range<usize>, now| {
            clients.filter(|number| counted.admit(&client(*number), rate, now).is_some()).count()
        };
        assert_eq!(asked(0..9_000, at(0)), PARTS * 4, "the rest is told to come later");
        assert_eq!(asked(9_000..18_000, at(5)), 0, "none is forgotten while its count matters");
        assert_eq!(asked(9_000..18_000, at(6)), PARTS * 4);
        assert_eq!(held(&counted), PARTS * 4);
    }

    #[test]
    fn a_client_whose_tokens_are_not_written_is_never_forgotten() {
        let counted = Counted::with_room(4);
        let daily = ClientLimits { per_day: Some(1), ..ClientLimits::default() };
        let first = client(0);
        counted.met(&first, Issued::default(), at(0), at(0)).unwrap();
        counted.take(&first, &daily, at(0)).unwrap().unwrap();
        for number in 1..9_000 {
            let second = i64::try_from(number).unwrap();
            counted.met(&client(number), Issued::default(), at(second), at(second));
        }
        assert!(counted.take(&first, &daily, at(0)).unwrap().is_err());
        assert!(held(&counted) <= PARTS * 4);
    }

    #[test]
    fn one_asks_the_store_again_and_the_others_go_on_with_what_is_known() {
        let counted = Counted::default();
        let app = client(1);
        assert_eq!(counted.knowledge(&app, at(0)), Knowledge::None);
        counted.met(&app, Issued::default(), at(0), at(0)).unwrap();
        assert_eq!(counted.knowledge(&app, at(3)), Knowledge::Fresh);
        assert_eq!(counted.knowledge(&app, at(4)), Knowledge::Stale);
        assert_eq!(counted.knowledge(&app, at(4)), Knowledge::Fresh);
        assert_eq!(
            counted.knowledge(&app, at(-1)),
            Knowledge::Stale,
            "a clock that went back makes it stale"
        );
    }

    #[test]
    fn only_who_was_asked_for_since_is_looked_up_again() {
        let counted = Counted::default();
        let daily = ClientLimits { per_day: Some(9), ..ClientLimits::default() };
        (0..3).for_each(|number| counted.met(&client(number), Issued::default(), at(0), at(0)).unwrap());
        assert_eq!(counted.touched(2).len() + counted.touched(2).len(), 3);
        assert_eq!(counted.touched(9), []);
        counted.take(&client(1), &daily, at(0)).unwrap().unwrap();
        assert_eq!(counted.touched(9), [client(1)]);
    }
}
