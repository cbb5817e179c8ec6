//! This file is where it is decided how long work may wait, by CoDel's idea (RFC 8289): a burst may wait, a queue
//! that stands must not.
//!
//! The idea: nobody is hurt by a queue that drains. One whose head has waited longer than the target for a whole
//! interval stands, and every request in it gets a late answer for nothing; then what is older than the target is
//! shed, until nothing had to be shed for a while.
//!
//! Two things differ from RFC 8289, for its senders slow down when something is lost, and HTTP clients ask again.
//! It sheds one at a time, ever faster, and takes many seconds until half of what comes is shed; here all that is
//! too old is shed at once. And it sheds from any queue that stands: here the queue must also have overflowed.
//! Clients that wait for their answers before they ask again (64 connections, say) keep a standing queue that never
//! grows; shedding from it only makes them ask in vain, thousands of times a second.

use std::time::Duration;

/// Why work was given up unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shed {
    /// Too much of the same client's waits.
    #[error("too many requests of this client wait for a signature")]
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

/// How long work may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// What may be waited in a queue that stands.
    target: Duration,
    /// How long a queue must be behind before it stands.
    interval: Duration,
    /// What may be waited at all.
    deadline: Duration,
}

/// The interval is that many targets: 150 ms for 25 ms. A burst that is signed within that is no sign of too much.
const TARGETS: u32 = 6;

impl Patience {
    pub(super) fn new(target: Duration, deadline: Duration) -> Self {
        Self { target, interval: target.saturating_mul(TARGETS), deadline }
    }

    /// Whether so long a wait is no sign of a queue that stands.
    pub(super) fn allows(&self, waited: Duration) -> bool {
        waited <= self.target
    }
}

/// For how many intervals after the last shedding a queue still stands. A shorter memory lets a queue that is asked a
/// little too much fill up again and again; a longer one goes on shedding from bursts that could be served.
const MEMORY: u32 = 4;

/// What is known of one queue: whether it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    overflowing_since: Option<Duration>,
    shedding_until: Option<Duration>,
}

impl Standing {
    /// Notes that work was refused at `now` for want of a place.
    pub(super) fn overflowed(&mut self, now: Duration) {
        self.overflowing_since.get_or_insert(now);
    }

    /// Notes that nothing in the queue has waited longer than the target.
    pub(super) fn in_order(&mut self) {
        self.overflowing_since = None;
    }

    /// Why work that has waited so long is to be shed at `now`, if it is.
    pub(super) fn sheds(&mut self, waited: Duration, patience: &Patience, now: Duration) -> Option<Shed> {
        if waited > patience.deadline {
            return Some(Shed::Late);
        }
        if patience.allows(waited) || !self.stands(patience, now) {
            return None;
        }
        self.overflowing_since = None;
        self.shedding_until = Some(now.saturating_add(patience.interval.saturating_mul(MEMORY)));
        Some(Shed::Stale)
    }

    /// Whether the queue stands at `now`.
    pub(super) fn stands(&self, patience: &Patience, now: Duration) -> bool {
        let behind = |since: Duration| now.saturating_sub(since) >= patience.interval;
        self.shedding_until.is_some_and(|until| now < until) || self.overflowing_since.is_some_and(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { target: ms(25), interval: ms(150), deadline: ms(2_000) };

    #[test]
    fn the_interval_is_six_targets() {
        assert_eq!(Patience::new(ms(25), ms(2_000)).interval, ms(150));
    }

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A queue that overflowed at that time.
    fn overflowed(at: u64) -> Standing {
        let mut standing = Standing::default();
        standing.overflowed(ms(at));
        standing
    }

    #[test]
    fn a_queue_stands_when_it_was_behind_for_an_interval_after_it_overflowed() {
        let mut again = overflowed(1_000);
        again.overflowed(ms(1_100));
        let mut in_order = overflowed(1_000);
        in_order.in_order();
        for (standing, at, expected, why) in [
            (overflowed(1_000), 1_149, false, "not a whole interval"),
            (overflowed(1_000), 1_150, true, "an interval"),
            (again, 1_150, true, "the first overflow counts"),
            (in_order, 9_000, false, "it was in order meanwhile"),
            (Standing::default(), 9_000, false, "nobody was turned away: they wait for their answers"),
        ] {
            assert_eq!(standing.stands(&PATIENCE, ms(at)), expected, "{why}");
        }
    }

    #[test]
    fn work_is_shed_past_the_target_where_the_queue_stands_and_past_the_deadline_everywhere() {
        for (mut standing, waited, expected) in [
            (Standing::default(), 26, None),
            (Standing::default(), 2_000, None),
            (Standing::default(), 2_001, Some(Shed::Late)),
            (overflowed(1_000), 25, None),
            (overflowed(1_000), 26, Some(Shed::Stale)),
            (overflowed(1_000), 2_001, Some(Shed::Late)),
        ] {
            assert_eq!(standing.sheds(ms(waited), &PATIENCE, ms(1_150)), expected, "{waited} ms");
        }
    }

    #[test]
    fn a_queue_stands_no_more_when_nothing_was_shed_for_a_while() {
        let mut standing = overflowed(1_000);
        assert_eq!(standing.sheds(ms(26), &PATIENCE, ms(1_150)), Some(Shed::Stale));
        assert!(standing.stands(&PATIENCE, ms(1_749)));
        assert!(!standing.stands(&PATIENCE, ms(1_750)));
    }
}
