//! This file is where it is decided whose signature is made next.
//!
//! The idea: each client has a line of its own, and lines take turns (deficit round robin, Shreedhar and Varghese
//! 1995): a turn is worth one RSA-4096 signature, so that eight of RSA-2048 weigh as much. A client that did not
//! wait before goes ahead of those that did (RFC 8290, section 4.2), so that one who asks seldom waits for a free
//! thread and for little else. Of one client no more may wait than there are places free: crowds leave room for
//! newcomers, without anybody searching for the longest line (Choudhury and Hahne 1998).
//! A line that stands ([`Standing`]) is served from its end: there the newest can still be answered in time. The
//! same holds for the newcomers together, who are a queue too when thousands of clients ask at once.
//!
//! The limits: places for all, places for one client, and twice as many clients remembered as there are places.
//! The price: a look-up of the client for each request. Nothing here runs over all lines or all work; what is
//! skipped was paid for when it came in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_jose::Primes;

use super::shed::{Patience, Shed, Standing};

/// What a signature costs, in parts of an RSA-4096 one, which costs [`TURN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost(i64);

/// What a turn is worth.
const TURN: i64 = 512;

/// How many newcomers go first before one of those who wait has a turn.
const NEWCOMERS_IN_A_ROW: u32 = 8;

impl Cost {
    /// Of an RSA signature of that many bytes: the work grows with the third power of the length, and a key of four
    /// primes signs some three times as fast.
    pub(super) fn of_rsa(signature_bytes: usize, primes: Option<Primes>) -> Self {
        let parts = i64::try_from(signature_bytes / 64).unwrap_or(i64::MAX);
        let of_two = parts.saturating_pow(3).clamp(1, 64 * TURN);
        match primes {
            Some(Primes::Four) => Self(of_two / 3),
            Some(Primes::Two) | None => Self(of_two),
        }
    }
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Of all clients.
    pub(super) all: usize,
    /// Of one client.
    pub(super) per_client: usize,
}

/// What the queue must know of work.
pub(super) trait Wanted {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
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
    lines: HashMap<ClientId, Line<Job>>,
    newcomers: VecDeque<ClientId>,
    turns: VecDeque<ClientId>,
    newcomers_gone: u32,
    waiting: usize,
    crowd: Standing,
    stood: HashMap<ClientId, Standing>,
}

struct Line<Job> {
    jobs: VecDeque<Waiting<Job>>,
    credit: i64,
    standing: Standing,
}

struct Waiting<Job> {
    job: Job,
    cost: Cost,
    since: Duration,
}

impl<Job: Wanted> FairQueue<Job> {
    pub(super) fn new(places: Places, patience: Patience) -> Self {
        Self {
            places,
            patience,
            lines: HashMap::new(),
            newcomers: VecDeque::new(),
            turns: VecDeque::new(),
            newcomers_gone: 0,
            waiting: 0,
            crowd: Standing::default(),
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
        if self.waiting >= self.places.all {
            self.crowd.overflowed(now);
            return Err((job, Shed::Queue));
        }
        let Some(line) = self.lines.get_mut(client) else {
            self.newcomers.push_back(client.clone());
            let standing = self.stood.remove(client).unwrap_or_default();
            let jobs = VecDeque::from([Waiting { job, cost, since: now }]);
            self.lines.insert(client.clone(), Line { jobs, credit: TURN, standing });
            self.waiting += 1;
            return Ok(());
        };
        while line.jobs.len() >= self.places.per_client.min(self.places.all - self.waiting) {
            if line.jobs.pop_front_if(|head| !head.job.is_wanted()).is_none() {
                line.standing.overflowed(now);
                return Err((job, Shed::Client));
            }
            self.waiting -= 1;
        }
        line.jobs.push_back(Waiting { job, cost, since: now });
        self.waiting += 1;
        Ok(())
    }

    /// The work whose turn it is at `now`. What is too old by then goes to `shed`; what nobody wants any more
    /// vanishes.
    pub(super) fn take(&mut self, now: Duration, shed: &mut Vec<(Job, Shed)>) -> Option<Taken<Job>> {
        loop {
            let (client, newcomer) = self.next_client()?;
            let Some(line) = self.lines.get_mut(&client) else { continue };
            let crowd = newcomer.then_some(&mut self.crowd);
            self.waiting -= line.drop_old((&self.patience, now), crowd, shed);

            if line.jobs.is_empty() {
                // Who waited before is forgotten only when it comes to its turn and wants nothing; else asking one
                // by one would be a way always to go first.
                self.newcomers_gone = self.newcomers_gone.saturating_add(u32::from(newcomer));
                self.step_back(client, newcomer, now);
            } else if line.credit <= 0 {
                line.credit += TURN;
                self.turns.push_back(client);
            } else if let Some(taken) = self.serve(client, newcomer, now) {
                return Some(taken);
            }
        }
    }

    /// How much waits.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    fn next_client(&mut self) -> Option<(ClientId, bool)> {
        let enough = self.newcomers_gone >= NEWCOMERS_IN_A_ROW && !self.turns.is_empty();
        let newcomer = if enough { None } else { self.newcomers.pop_front() };
        if newcomer.is_none() && !enough {
            self.crowd.in_order();
        }
        match newcomer {
            Some(client) => Some((client, true)),
            None => self.turns.pop_front().map(|client| (client, false)),
        }
    }

    /// Work of this client, or of the last newcomer where newcomers stand. While the client's credit lasts it has
    /// the next turn too, else the others come first.
    fn serve(&mut self, mut client: ClientId, newcomer: bool, now: Duration) -> Option<Taken<Job>> {
        if newcomer
            && self.crowd.stands(&self.patience, now)
            && let Some(last) = self.newcomers.pop_back()
        {
            self.newcomers.push_front(std::mem::replace(&mut client, last));
        }
        let line = self.lines.get_mut(&client)?;
        let stands = line.standing.stands(&self.patience, now);
        let next = if stands { line.jobs.pop_back() } else { line.jobs.pop_front() };
        let Waiting { job, cost, since } = next?;
        self.waiting -= 1;
        line.credit -= cost.0;
        if line.credit <= 0 {
            line.credit += TURN;
            self.newcomers_gone = self.newcomers_gone.saturating_add(u32::from(newcomer));
            self.step_back(client, true, now);
        } else if newcomer {
            self.newcomers.push_front(client);
        } else {
            self.turns.push_front(client);
        }
        if !newcomer {
            self.newcomers_gone = 0;
        }
        Some(Taken { job, waited: now.saturating_sub(since) })
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
        if !standing.stands(&self.patience, now) {
            return;
        }
        if self.stood.len() >= self.places.all {
            self.stood.retain(|_, standing| standing.stands(&self.patience, now));
        }
        if self.stood.len() < self.places.all {
            self.stood.insert(client, standing);
        }
    }
}

impl<Job: Wanted> Line<Job> {
    /// Drops what is too old, by itself or in the crowd of newcomers, or no longer wanted; says how much that was.
    fn drop_old(
        &mut self,
        (patience, now): (&Patience, Duration),
        mut crowd: Option<&mut Standing>,
        shed: &mut Vec<(Job, Shed)>,
    ) -> usize {
        let before = self.jobs.len();
        while let Some(head) = self.jobs.front() {
            let waited = now.saturating_sub(head.since);
            let queues = std::iter::once(&mut self.standing).chain(crowd.as_deref_mut());
            let mut why = None;
            for queue in queues {
                if patience.allows(waited) {
                    queue.in_order();
                }
                why = why.or_else(|| queue.sheds(waited, patience, now));
            }
            match (head.job.is_wanted(), why) {
                (true, None) => break,
                (true, Some(why)) => shed.extend(self.jobs.pop_front().map(|head| (head.job, why))),
                (false, _) => drop(self.jobs.pop_front()),
            }
        }
        before - self.jobs.len()
    }
}

#[cfg(test)]
mod tests;
