//! This file is where it is decided whose signature is made next.
//!
//! The idea: each client has a line of its own, and lines take turns (deficit round robin, Shreedhar and Varghese
//! 1995): a turn is worth one RSA-4096 signature, so that eight of RSA-2048 weigh as much. A client that did not
//! wait before goes ahead of those that did (RFC 8290, section 4.2), so that one who asks seldom waits for a free
//! thread and for little else. Of one client no more may wait than there are places free: crowds leave room for
//! newcomers, without anybody searching for the longest line (Choudhury and Hahne 1998).
//! A line that rises or stands ([`Standing`]) is served from its end: there the newest can still be answered in time.
//! All short lines together are the crowd, which may stand too, when many clients each ask a little too much: then it is
//! served from the newest of the newcomers. A long line is judged by itself.
//!
//! The limits: places for all, places for one client, and twice as many clients remembered as there are places.
//! The price: a look-up of the client for each request. Nothing here runs over all lines or all work; what is
//! skipped was paid for when it came in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use gatepost_core::clients::ClientId;

use super::cost::{Cost, TURN};
use super::pace::Pace;
use super::shed::{Moment, Patience, Shed, Standing};
use crate::config::Signing;

mod lines;

pub(super) use lines::Wanted;
use lines::{Crowd, Line, Waiting};

/// How many newcomers go first before one of those who wait has a turn.
const NEWCOMERS_IN_A_ROW: u32 = 8;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Of all clients.
    pub(super) all: usize,
    /// Of one client.
    pub(super) per_client: usize,
}

/// Work whose turn it is.
pub(super) struct Taken<Job> {
    /// The work.
    pub(super) job: Job,
    /// How long it waited.
    pub(super) waited: Duration,
}

/// Work that waits for a thread, fairly by client.
pub(super) struct FairQueue<Job> {
    places: Places,
    patience: Patience,
    pace: Pace,
    lines: HashMap<ClientId, Line<Job>>,
    newcomers: VecDeque<ClientId>,
    turns: VecDeque<ClientId>,
    newcomers_gone: u32,
    waiting: usize,
    crowd: Crowd,
    stood: HashMap<ClientId, Standing>,
}

/// A line stands that has grown by what each thread signs in so many signing times.
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
            lines: HashMap::new(),
            newcomers: VecDeque::new(),
            turns: VecDeque::new(),
            newcomers_gone: 0,
            waiting: 0,
            crowd: Crowd::default(),
            stood: HashMap::new(),
        }
    }

    /// Takes work in at `now`, or gives it back with the reason why it may not wait.
    pub(super) fn push(
        &mut self,
        client: &ClientId,
        job: Job,
        cost: Cost,
        now: Duration,
    ) -> Result<(), (Job, Shed)> {
        let moment = self.moment(now);
        if self.waiting >= self.places.all {
            self.crowd.0.overflowed(&moment);
            return Err((job, Shed::Queue));
        }
        let work = Waiting { job, cost, since: now };
        let Some(line) = self.lines.get_mut(client) else {
            self.newcomers.push_back(client.clone());
            let standing = self.stood.remove(client).unwrap_or_default();
            let mut line = Line { jobs: VecDeque::from([work]), credit: TURN, standing };
            self.crowd.joined_by(&mut line, &moment);
            self.lines.insert(client.clone(), line);
            self.waiting += 1;
            return Ok(());
        };
        while line.jobs.len() >= self.places.per_client.min(self.places.all - self.waiting) {
            if line.jobs.pop_front_if(|head| !head.job.is_wanted()).is_none() {
                line.standing.overflowed(&moment);
                return Err((work.job, Shed::Client));
            }
            self.waiting -= 1;
            self.crowd.left_by(line, 1, &moment);
        }
        line.jobs.push_back(work);
        self.crowd.joined_by(line, &moment);
        self.waiting += 1;
        Ok(())
    }

    /// The work whose turn it is at `now`. What is too old by then goes to `shed`; what nobody wants any more
    /// vanishes.
    pub(super) fn take(&mut self, now: Duration, shed: &mut Vec<(Job, Shed)>) -> Option<Taken<Job>> {
        let moment = self.moment(now);
        loop {
            let (mut client, newcomer) = self.next_client()?;
            if !self.is_ready(&client, newcomer, &moment, shed) {
                continue;
            }
            if newcomer
                && self.crowd.0.newest_first(&moment.of_a_crowd())
                && let Some(last) = self.newcomers.pop_back()
            {
                self.newcomers.push_front(std::mem::replace(&mut client, last));
                if !self.is_ready(&client, newcomer, &moment, shed) {
                    continue;
                }
            }
            if let Some(taken) = self.serve(client, newcomer, &moment) {
                return Some(taken);
            }
        }
    }

    /// Takes up how long a signature took.
    pub(super) fn signed(&mut self, took: Duration) {
        self.pace.took(took);
    }

    /// How much waits.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How long so many threads have to sign for what waits.
    pub(super) fn ahead(&self, threads: usize) -> Duration {
        let [waiting, threads] =
            [self.waiting, threads.max(1)].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        self.pace.signing().unwrap_or_default().saturating_mul(waiting) / threads
    }

    fn moment(&self, now: Duration) -> Moment {
        self.patience.at(now, self.pace.signing())
    }

    fn next_client(&mut self) -> Option<(ClientId, bool)> {
        let enough = self.newcomers_gone >= NEWCOMERS_IN_A_ROW && !self.turns.is_empty();
        let newcomer = if enough { None } else { self.newcomers.pop_front() };
        match newcomer {
            Some(client) => Some((client, true)),
            None => self.turns.pop_front().map(|client| (client, false)),
        }
    }

    /// Whether this client, whose turn it is, has work and credit; otherwise it steps back.
    fn is_ready(
        &mut self,
        client: &ClientId,
        newcomer: bool,
        moment: &Moment,
        shed: &mut Vec<(Job, Shed)>,
    ) -> bool {
        let Some(line) = self.lines.get_mut(client) else { return false };
        self.waiting -= line.drop_old(moment, &mut self.crowd, shed);
        if line.jobs.is_empty() {
            // Who waited before is forgotten only when it comes to its turn and wants nothing; else asking one
            // by one would be a way always to go first.
            self.newcomers_gone = self.newcomers_gone.saturating_add(u32::from(newcomer));
            self.step_back(client.clone(), newcomer, moment.now);
            return false;
        }
        if line.credit <= 0 {
            line.credit += TURN;
            self.turns.push_back(client.clone());
            return false;
        }
        true
    }

    /// Work of this client. While its credit lasts it has the next turn too, else the others come first.
    fn serve(&mut self, client: ClientId, newcomer: bool, moment: &Moment) -> Option<Taken<Job>> {
        let line = self.lines.get_mut(&client)?;
        let before = line.jobs.len();
        let taken = line.pop(moment);
        let left = before - line.jobs.len();
        self.waiting -= left;
        self.crowd.left_by(line, left, moment);
        line.credit -= taken.as_ref().map_or(0, |work| work.cost.parts());
        if line.credit <= 0 {
            line.credit += TURN;
            self.newcomers_gone = self.newcomers_gone.saturating_add(u32::from(newcomer));
            self.step_back(client, true, moment.now);
        } else if newcomer {
            self.newcomers.push_front(client);
        } else {
            self.turns.push_front(client);
        }
        if !newcomer {
            self.newcomers_gone = 0;
        }
        taken.map(|work| Taken { job: work.job, waited: moment.now.saturating_sub(work.since) })
    }

    /// Puts a client behind the others; without waiting work it is forgotten sooner or later.
    fn step_back(&mut self, client: ClientId, remember: bool, now: Duration) {
        let waits = self.lines.get(&client).is_some_and(|line| !line.jobs.is_empty());
        if waits || (remember && self.turns.len() < self.places.all) {
            self.turns.push_back(client);
        } else {
            self.forget(client, now);
        }
    }

    /// A line that stands may run empty for a moment; that it stood is kept longer than the line.
    fn forget(&mut self, client: ClientId, now: Duration) {
        let Some(Line { standing, .. }) = self.lines.remove(&client) else { return };
        if !standing.stands(now) {
            return;
        }
        if self.stood.len() >= self.places.all {
            self.stood.retain(|_, standing| standing.stands(now));
        }
        if self.stood.len() < self.places.all {
            self.stood.insert(client, standing);
        }
    }
}

#[cfg(test)]
mod tests;
