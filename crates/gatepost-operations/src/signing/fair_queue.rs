//! This file is where it is decided whose signature is made next.
//!
//! The idea: partners take [turns], and the clients of a partner take turns with each other, each with a line of its own:
//! sixty clients of one partner weigh together what one client of another weighs. On both levels newcomers go first.
//! Of one client, and of one partner, no more may wait than there are places free: crowds leave room for newcomers,
//! without anybody searching for the longest line (Choudhury and Hahne 1998).
//! A line that rises or stands ([`Standing`](super::shed::Standing)) is served from its end: there the newest can still
//! be answered in time. All short lines of a [level] together are the crowd, which may stand too, when many clients of a
//! partner, or many partners, each ask a little too much: then it is served from the newest of the newcomers. So who
//! asks too much is judged among his like: a partner's own overload sheds nothing of another's.
//! With one client in each partner the second level has nothing to decide.
//!
//! The limits: places for all, places for one client, and twice as many clients remembered as there are places, and by
//! that no more partners; of those that stood, as many of each kind as there are places.
//! The price: a look-up of the client and one of the partner for each request, when it comes in and when it is taken.
//! Nothing here runs over all lines or all work, but for the look for work whose caller has [gone], which those who went
//! have paid for; what is skipped was paid for when it came in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;

use super::cost::Cost;
use super::pace::Pace;
use super::shed::{Moment, Patience, Shed};
use crate::config::Signing;

mod gone;
mod level;
mod lines;
mod stood;
mod taking;
mod turns;

use level::{Crowd, Level};
pub(super) use lines::Wanted;
use lines::{Line, Waiting};
use stood::Stood;
use taking::{Taking, Visit};
use turns::Turn;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Of all clients.
    pub(super) all: usize,
    /// Of one client.
    pub(super) per_client: usize,
}

/// Who asks for a signature.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Whose client it is.
    pub partner: PartnerId,
    /// The client.
    pub client: &'a ClientId,
}

/// Work whose turn it is.
pub(super) struct Taken<Job> {
    /// The work.
    pub(super) job: Job,
    /// How long it waited.
    pub(super) waited: Duration,
}

/// Work that waits for a thread, fairly by partner and client.
pub(super) struct FairQueue<Job> {
    places: Places,
    patience: Patience,
    pace: Pace,
    all: Level<PartnerId>,
    partners: HashMap<PartnerId, Level<ClientId>>,
    lines: HashMap<ClientId, Line<Job>>,
    stood_partners: Stood<PartnerId>,
    stood: Stood<ClientId>,
    /// How many callers have gone since the last look for their work.
    gone: usize,
}

/// A line rises that has grown by what each thread signs in so many signing times.
const GROWTH_OF_EACH_THREAD: usize = 26;

impl<Job: Wanted> FairQueue<Job> {
    /// A queue with those bounds before so many threads.
    pub(super) fn of(bounds: &Signing, threads: usize) -> Self {
        let places = Places { all: bounds.queue, per_client: bounds.per_client };
        let growth = threads.saturating_mul(GROWTH_OF_EACH_THREAD).min(bounds.per_client / 2).max(1);
        let growth = u32::try_from(growth).unwrap_or(u32::MAX);
        Self::new(places, Patience { target: bounds.target, deadline: bounds.deadline, growth })
    }

    fn new(places: Places, patience: Patience) -> Self {
        Self {
            places,
            patience,
            pace: Pace::default(),
            all: Level::of(Crowd::default()),
            partners: HashMap::new(),
            lines: HashMap::new(),
            stood_partners: Stood::of(places.all),
            stood: Stood::of(places.all),
            gone: 0,
        }
    }

    /// Takes work in at `now`, or gives it back with the reason why it may not wait.
    pub(super) fn push(
        &mut self,
        asker: Asker<'_>,
        job: Job,
        cost: Cost,
        now: Duration,
    ) -> Result<(), (Job, Shed)> {
        let moment = self.moment(now);
        self.make_room(asker, &moment);
        if self.overflows(&moment) {
            return Err((job, Shed::Queue));
        }
        let work = Waiting { job, cost, since: now };
        let Some(line) = self.lines.get_mut(asker.client) else { return self.begin(asker, work, &moment) };
        // Who has a line has its partner too.
        let Some(clients) = self.partners.get_mut(&line.partner) else {
            return Err((work.job, Shed::Client));
        };
        if !lines::has_place(line, clients, &self.all, self.places, &moment) {
            return Err((work.job, Shed::Client));
        }
        line.jobs.push_back(work);
        lines::joined(line, clients, &mut self.all, &moment);
        Ok(())
    }

    /// Whether one more is too much for all places, which is noted.
    fn overflows(&mut self, moment: &Moment) -> bool {
        let is_full = self.all.waiting >= self.places.all;
        if is_full {
            self.all.crowd.0.overflowed(moment);
        }
        is_full
    }

    /// Takes in work of a client that has no line.
    fn begin(
        &mut self,
        Asker { partner, client }: Asker<'_>,
        work: Waiting<Job>,
        moment: &Moment,
    ) -> Result<(), (Job, Shed)> {
        let clients = self.partners.entry(partner).or_insert_with(|| {
            self.all.turns.join(partner);
            Level::of(self.stood_partners.recall(&partner).map_or_else(Crowd::default, Crowd))
        });
        if clients.waiting >= self.places.all - self.all.waiting {
            clients.crowd.0.overflowed(moment);
            return Err((work.job, Shed::Client));
        }
        clients.turns.join(client.clone());
        let standing = self.stood.recall(client).unwrap_or_default();
        let mut line = Line { partner, jobs: VecDeque::from([work]), standing };
        lines::joined(&mut line, clients, &mut self.all, moment);
        self.lines.insert(client.clone(), line);
        Ok(())
    }

    /// The work whose turn it is at `now`. What is too old by then goes to `shed`; what nobody wants any more
    /// vanishes.
    pub(super) fn take(&mut self, now: Duration, shed: &mut Vec<(Job, Shed)>) -> Option<Taken<Job>> {
        let moment = self.moment(now);
        loop {
            let turn = self.all.turns.next()?;
            if let Some(work) = self.work_of(turn, moment, shed) {
                return Some(Taken { job: work.job, waited: now.saturating_sub(work.since) });
            }
        }
    }

    /// Takes up how long a signature took.
    pub(super) fn signed(&mut self, took: Duration) {
        self.pace.took(took);
    }

    /// How much waits.
    pub(super) fn waiting(&self) -> usize {
        self.all.waiting
    }

    /// How long so many threads have to sign for what waits.
    pub(super) fn ahead(&self, threads: usize) -> Duration {
        let [waiting, threads] =
            [self.waiting(), threads.max(1)].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        self.pace.signing().unwrap_or_default().saturating_mul(waiting) / threads
    }

    fn moment(&self, now: Duration) -> Moment {
        self.patience.at(now, self.pace.signing())
    }

    /// Work of a partner whose turn it is, or of the newest newcomer in its place.
    fn work_of(
        &mut self,
        mut turn: Turn<PartnerId>,
        moment: Moment,
        shed: &mut Vec<(Job, Shed)>,
    ) -> Option<Waiting<Job>> {
        let mut in_place = false;
        let (all, lines, stood) = (&mut self.all, &mut self.lines, &mut self.stood);
        let mut taking = Taking { all, lines, stood, remembered: self.places.all, moment, shed };
        let (work, over, has_clients) = loop {
            let clients = self.partners.get_mut(&turn.id)?;
            let visit = taking.visit(clients, &turn, in_place);
            let has_clients = !clients.turns.is_empty();
            match visit {
                Visit::Served(work) => {
                    let over = taking.all.turns.pay(turn, lines::parts(work.as_ref()), has_clients);
                    break (work, over, has_clients);
                }
                Visit::GivesWay => (turn, in_place) = (taking.all.turns.newest_instead_of(turn), true),
                Visit::Idle => {
                    taking.all.turns.over(&turn);
                    break (None, Some(turn), has_clients);
                }
            }
        };
        if let Some(turn) = over {
            self.step_back(turn, has_clients, moment.now);
        }
        work
    }

    /// Puts a partner behind the others; without clients it is forgotten.
    fn step_back(&mut self, turn: Turn<PartnerId>, has_clients: bool, now: Duration) {
        if has_clients {
            self.all.turns.step_back(turn);
        } else if let Some(clients) = self.partners.remove(&turn.id) {
            self.stood_partners.keep(turn.id, clients.crowd.0, now);
        }
    }
}

#[cfg(test)]
mod tests;
