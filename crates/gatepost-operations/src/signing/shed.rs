//! This file is where it is decided how long work may wait, by CoDel's idea (RFC 8289): a burst may wait, a queue
//! that stands must not.
//!
//! The idea: nobody is hurt by a queue that drains. One that overflows stands, and every request in it gets a late answer
//! for nothing; then what is older than the target is shed, until nothing had to be shed for a while. Before that, one
//! that grows while it is served is served from its end, so that most are answered soon while it is not yet known
//! whether it will overflow. Times are told in signing times, as measured ([`Pace`](super::pace::Pace)), so that they
//! fit every machine and every key.
//!
//! It differs from RFC 8289, for its senders slow down when something is lost, and HTTP clients ask again. There it is
//! shed one at a time, ever faster, and takes many seconds until half of what comes is shed; here all that is too old is
//! shed at once. And there it is shed from any queue in which one waits long. Clients that wait for their answers before
//! they ask again (64 connections, say) keep such a queue, and it never grows; shedding from it only makes them ask in
//! vain, thousands of times a second.

use std::time::Duration;

/// Why work was given up unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shed {
    /// Too much of the same client, or of its partner's clients together, waits.
    #[error("too many requests of this client or its partner wait for a signature")]
    Client,
    /// Too much of all clients waits.
    #[error("the signing queue is full")]
    Queue,
    /// It waited longer than the target in a queue that stands.
    #[error("more signatures are asked for than can be made, and this one waited too long")]
    Stale,
    /// It waited past its deadline.
    #[error("the signature came too late")]
    Late,
}

impl Shed {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Client, Self::Queue, Self::Stale, Self::Late];

    /// A stable name for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Queue => "queue",
            Self::Stale => "stale",
            Self::Late => "late",
        }
    }
}

/// A wait as callers are told of it: never too short, and at least a second.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// How long work may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// What may be waited in a queue that stands, in signing times.
    pub(super) target: u32,
    /// What may be waited at all.
    pub(super) deadline: Duration,
    /// By how much a queue has grown that is served from its end.
    pub(super) growth: u32,
}

/// For how many signing times after the last shedding a queue still stands. A shorter memory lets a queue that is asked
/// a little too much fill up again and again; a longer one goes on shedding from bursts that could be served.
const MEMORY: u32 = 100;

/// And for so many since it last overflowed it may go on by that. Who asks again at once when refused would keep it
/// standing for ever, even where all of them have places.
const LONGEST: u32 = 50_000;

/// Of what comes between two departures, no more counts as growth; and no more than twice that after a pause. Neither
/// the first requests of many connections nor what came while the machine stood still is a sign of too much.
const COUNTED: u32 = 3;

/// Growth is a sum of what came and what went (Page's CUSUM, 1954), in which what went counts for more, so that a queue
/// that stays as it is grows no more. In a line it counts for a fifth more: it is no overload when a machine that is
/// slower for a while gets a little more than it can sign. In a crowd, which fills no place by itself, that is all there
/// is to tell overload by.
const CAME: u32 = 50;
const WENT: u32 = 60;
const WENT_OF_A_CROWD: u32 = 51;

/// A queue rises no more that has not grown while so much went.
const RISING: u32 = 48;

/// A shorter wait is the operating system's, whatever is signed.
const LEAST_TARGET: Duration = Duration::from_millis(4);

/// The patience at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    patience: Patience,
    signing: Option<Duration>,
    pub(super) now: Duration,
}

impl Patience {
    /// At `now`, where a signature takes that long, if that is known.
    pub(super) fn at(self, now: Duration, signing: Option<Duration>) -> Moment {
        Moment { patience: self, signing, now }
    }
}

impl Moment {
    /// The same for a crowd, of which it takes more to tell.
    pub(super) fn of_a_crowd(mut self) -> Self {
        self.patience.growth = self.patience.growth.saturating_mul(5) / 2;
        self
    }

    /// A longer line is judged by itself.
    pub(super) fn longest_of_a_crowd(&self) -> usize {
        usize::try_from(self.patience.growth).unwrap_or(usize::MAX)
    }

    /// A crowd stands that has grown by so much.
    pub(super) fn overflow_of_a_crowd(&self) -> u32 {
        self.patience.growth.saturating_mul(5)
    }

    /// Before the first signature nothing is too old but what is past the deadline.
    fn target(&self) -> Duration {
        let target = |signing: Duration| signing.saturating_mul(self.patience.target).max(LEAST_TARGET);
        self.signing.map_or(self.patience.deadline, target)
    }

    fn longest(&self) -> Duration {
        self.memory().saturating_mul(LONGEST / MEMORY)
    }

    fn memory(&self) -> Duration {
        self.signing.map_or(self.patience.deadline, |signing| signing.saturating_mul(MEMORY))
    }
}

/// What is known of one queue: whether it rises, and whether it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    grown: u32,
    peak: u32,
    since_peak: u32,
    counts: u32,
    last: Option<Duration>,
    until: Option<Duration>,
    crowd: bool,
}

impl Standing {
    /// Of a crowd nothing is known yet.
    pub(super) fn of_a_crowd() -> Self {
        Self { crowd: true, ..Self::default() }
    }

    /// Notes that work came.
    pub(super) fn arrived(&mut self) {
        let Some(rest) = self.counts.checked_sub(1) else { return };
        self.counts = rest;
        self.grown = self.grown.saturating_add(CAME);
        if self.grown > self.peak {
            self.peak = self.grown;
            self.since_peak = 0;
        }
    }

    /// Notes that so much work went, whatever became of it.
    pub(super) fn departed(&mut self, count: u32) {
        self.counts = self.counts.saturating_add(count.saturating_mul(COUNTED)).min(2 * COUNTED);
        self.grown =
            self.grown.saturating_sub(count.saturating_mul(if self.crowd { WENT_OF_A_CROWD } else { WENT }));
        self.since_peak = self.since_peak.saturating_add(count);
        // What it grew to once says nothing of its next rise.
        if self.grown < self.peak / 2 {
            self.peak = self.grown;
        }
    }

    /// By how many requests the queue has grown.
    pub(super) fn growth(&self) -> u32 {
        self.grown / CAME
    }

    /// Notes that there was no place for what came.
    pub(super) fn overflowed(&mut self, moment: &Moment) {
        self.last = Some(moment.now);
        self.until = Some(moment.now.saturating_add(moment.memory()));
    }

    /// Whether the newest is to be served first: the queue has grown and goes on so, or it stands.
    pub(super) fn newest_first(&self, moment: &Moment) -> bool {
        let rises = self.growth() >= moment.patience.growth && self.since_peak < RISING;
        rises || self.stands(moment.now)
    }

    /// Why work that has waited so long is to be shed, if it is.
    pub(super) fn sheds(&mut self, waited: Duration, moment: &Moment) -> Option<Shed> {
        if waited > moment.patience.deadline {
            // Or all that follow would be served just before theirs.
            self.overflowed(moment);
            return Some(Shed::Late);
        }
        if waited <= moment.target() || !self.stands(moment.now) {
            return None;
        }
        let end = self.last.unwrap_or_default().saturating_add(moment.longest());
        self.until = Some(moment.now.saturating_add(moment.memory()).min(end));
        Some(Shed::Stale)
    }

    /// Whether the queue stands at `now`.
    pub(super) fn stands(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests;
