//! This file is where what waits for one client is kept, and what the short lines are together.

use std::collections::VecDeque;
use std::time::Duration;

use crate::signing::cost::Cost;
use crate::signing::shed::{Moment, Shed, Standing};

/// What the queue must know of work.
pub(in crate::signing) trait Wanted {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
}

/// What waits for one client, and where it stands with its turns.
pub(super) struct Line<Job> {
    pub(super) jobs: VecDeque<Waiting<Job>>,
    pub(super) credit: i64,
    pub(super) standing: Standing,
}

/// One piece of work that waits.
pub(super) struct Waiting<Job> {
    pub(super) job: Job,
    pub(super) cost: Cost,
    pub(super) since: Duration,
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
    /// Notes that work came into a line.
    pub(super) fn joined_by<Job>(&mut self, line: &mut Line<Job>, moment: &Moment) {
        line.standing.arrived();
        if line.jobs.len() > moment.longest_of_a_crowd() {
            return;
        }
        self.0.arrived();
        // Many lines have places for far more than can be signed in time.
        if self.0.growth() >= moment.overflow_of_a_crowd() {
            self.0.overflowed(moment);
        }
    }

    /// Notes that so much work left a line, of which the part that is not too long belonged to the crowd.
    pub(super) fn left_by<Job>(&mut self, line: &mut Line<Job>, count: usize, moment: &Moment) {
        let crowded = |jobs: usize| jobs.min(moment.longest_of_a_crowd());
        let left = crowded(line.jobs.len() + count) - crowded(line.jobs.len());
        for (standing, count) in [(&mut line.standing, count), (&mut self.0, left)] {
            standing.departed(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}

impl<Job: Wanted> Line<Job> {
    /// Drops what is too old, by itself or in the crowd, or no longer wanted; says how much that was.
    pub(super) fn drop_old(
        &mut self,
        moment: &Moment,
        crowd: &mut Crowd,
        shed: &mut Vec<(Job, Shed)>,
    ) -> usize {
        let before = self.jobs.len();
        let crowds = before <= moment.longest_of_a_crowd();
        while let Some(head) = self.jobs.front() {
            let waited = moment.now.saturating_sub(head.since);
            let by_crowd = || if crowds { crowd.0.sheds(waited, moment) } else { None };
            let why = self.standing.sheds(waited, moment).or_else(by_crowd);
            match (head.job.is_wanted(), why) {
                (true, None) => break,
                (true, Some(why)) => shed.extend(self.jobs.pop_front().map(|head| (head.job, why))),
                (false, _) => drop(self.jobs.pop_front()),
            }
        }
        let dropped = before - self.jobs.len();
        crowd.left_by(self, dropped, moment);
        dropped
    }

    /// The next work that somebody wants: the newest where the line rises or stands.
    pub(super) fn pop(&mut self, moment: &Moment) -> Option<Waiting<Job>> {
        let newest = self.standing.newest_first(moment);
        loop {
            let next = if newest { self.jobs.pop_back() } else { self.jobs.pop_front() }?;
            if next.job.is_wanted() {
                return Some(next);
            }
        }
    }
}
