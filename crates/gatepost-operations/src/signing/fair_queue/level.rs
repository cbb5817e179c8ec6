//! This file is where those who take turns with each other are seen as one: all partners, or the clients of one partner.
//!
//! What waits for a member is its line: a partner's is all that waits for its clients. All short lines together are the
//! crowd, which may stand when many each ask a little too much. A long one is judged by itself.

use std::time::Duration;

use super::turns::{Turn, Turns};
use crate::signing::shed::{Moment, Shed, Standing};

/// The members of one level, their turns and what waits for them.
pub(super) struct Level<Id> {
    pub(super) turns: Turns<Id>,
    pub(super) crowd: Crowd,
    /// How much waits for all of them.
    pub(super) waiting: usize,
}

impl<Id> Level<Id> {
    /// A level without members, of whose crowd so much is known.
    pub(super) fn of(crowd: Crowd) -> Self {
        Self { turns: Turns::default(), crowd, waiting: 0 }
    }

    /// Whether the newest newcomer is to be served in place of this one: so it is in a crowd that rises or stands.
    pub(super) fn gives_way(&self, turn: &Turn<Id>, moment: &Moment) -> bool {
        turn.newcomer && self.turns.has_newcomers() && self.crowd.0.newest_first(&moment.of_a_crowd())
    }

    /// Notes that work came into a line, which is that long now.
    pub(super) fn joined(&mut self, line: usize, moment: &Moment) {
        self.waiting += 1;
        self.crowd.joined(line, moment);
    }

    /// Notes that so much work left a line, which is that long now.
    pub(super) fn left(&mut self, line: usize, count: usize, moment: &Moment) {
        self.waiting -= count;
        self.crowd.left(line, count, moment);
    }
}

/// All short lines as one queue. Who overloads the threads alone has a long one and is no crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd(pub(super) Standing);

impl Default for Crowd {
    fn default() -> Self {
        Self(Standing::of_a_crowd())
    }
}

impl Crowd {
    /// Whether a line of that length belongs to it.
    pub(super) fn has(line: usize, moment: &Moment) -> bool {
        line <= moment.longest_of_a_crowd()
    }

    /// Whether it does not stand for one more that comes.
    pub(super) fn bears_one_more(&self, moment: &Moment) -> bool {
        self.0.growth().saturating_add(1) < moment.overflow_of_a_crowd()
    }

    fn joined(&mut self, line: usize, moment: &Moment) {
        if !Self::has(line, moment) {
            return;
        }
        self.0.arrived();
        // Many lines have places for far more than can be signed in time.
        if self.0.growth() >= moment.overflow_of_a_crowd() {
            self.0.overflowed(moment);
        }
    }

    /// Of what left, the part that is not too long belonged to the crowd.
    pub(super) fn left(&mut self, line: usize, count: usize, moment: &Moment) {
        let crowded = |jobs: usize| jobs.min(moment.longest_of_a_crowd());
        let left = crowded(line + count) - crowded(line);
        self.0.departed(u32::try_from(left).unwrap_or(u32::MAX));
    }

    /// Why work that has waited so long is to be shed from a line of that length, if it is.
    pub(super) fn sheds(&mut self, line: usize, waited: Duration, moment: &Moment) -> Option<Shed> {
        if Self::has(line, moment) { self.0.sheds(waited, moment) } else { None }
    }
}
