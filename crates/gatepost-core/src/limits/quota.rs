//! This file is where the tokens of a client are counted by the day and the month, on one of several nodes.
//!
//! The idea: the store knows what all nodes have written; this node knows what it granted itself, and how much of that
//! it has written. What others granted is the difference, as it was when last looked. The limit: a node learns of what
//! others granted by its next look, so until then each may grant what the others have used up.

use super::allowance::seconds_up;
use super::{Allowance, ClientLimits, Day, Month, Policy};
use crate::time::Timestamp;
use crate::usage::Hour;

/// The most that a quota may be: the largest whole number of a structured field (RFC 9651 section 3.3.1), in which
/// callers are told of it.
pub const LARGEST_QUOTA: u64 = 999_999_999_999_999;

/// What the store knows of the tokens that a client got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issued {
    /// On the day.
    pub on_day: u64,
    /// In the month.
    pub in_month: u64,
}

/// The tokens of a client in the present day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    day: Day,
    month: Month,
    on_day: Count,
    in_month: Count,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    others: u64,
    own: u64,
    written: u64,
}

impl Tally {
    /// Begins with what the store knows at `now`.
    pub fn begun(stored: Issued, now: Timestamp) -> Self {
        Self {
            day: Day::of(now),
            month: Month::of(now),
            on_day: Count { others: stored.on_day, ..Count::default() },
            in_month: Count { others: stored.in_month, ..Count::default() },
        }
    }

    /// Counts one more token, unless a quota is used up; then nothing is counted and it is said which, and until when.
    pub fn take(&mut self, limits: &ClientLimits, now: Timestamp) -> Result<Vec<Allowance>, Allowance> {
        let standing = self.standing(limits, now);
        // Who has used up both waits for the longer one, which is the last.
        if let Some(used_up) = standing.iter().rev().find(|allowance| allowance.remaining == 0) {
            return Err(*used_up);
        }
        self.on_day.own = self.on_day.own.saturating_add(1);
        self.in_month.own = self.in_month.own.saturating_add(1);
        let less = |allowance: Allowance| Allowance {
            remaining: allowance.remaining.saturating_sub(1),
            ..allowance
        };
        Ok(standing.into_iter().map(less).collect())
    }

    /// How the quotas stand, that of the day first; nothing is counted.
    pub fn standing(&mut self, limits: &ClientLimits, now: Timestamp) -> Vec<Allowance> {
        self.turn_over(now);
        let day = limits.per_day.map(|limit| self.day_standing(limit, now));
        let month = limits.per_month.map(|limit| self.month_standing(limit, now));
        [day, month].into_iter().flatten().collect()
    }

    /// Takes a token back that was counted at `at` and never got out.
    pub fn give_back(&mut self, at: Timestamp) {
        if Day::of(at) == self.day {
            self.on_day.give_back();
        }
        if Month::of(at) == self.month {
            self.in_month.give_back();
        }
    }

    /// So many tokens of that hour, counted here, are in the store now.
    pub fn written(&mut self, hour: Hour, tokens: u64) {
        if Day::of(hour.begins()) == self.day {
            self.on_day.wrote(tokens);
        }
        if Month::of(hour.begins()) == self.month {
            self.in_month.wrote(tokens);
        }
    }

    /// Takes up, at `now`, what the store knew of the day and month of `asked`.
    ///
    /// A clock that went back has the counts begin anew from the store; until then those of the later day hold.
    pub fn refreshed(&mut self, stored: Issued, asked: Timestamp, now: Timestamp) {
        if Month::of(now) < self.month || Day::of(now) < self.day {
            *self = Self::begun(stored, asked);
            return;
        }
        if Day::of(asked) == self.day {
            self.on_day.learn(stored.on_day);
        }
        if Month::of(asked) == self.month {
            self.in_month.learn(stored.in_month);
        }
    }

    /// Whether all that was counted here is in the store, so that nothing is lost by forgetting it.
    pub fn is_written(&self) -> bool {
        self.on_day.own <= self.on_day.written && self.in_month.own <= self.in_month.written
    }

    fn turn_over(&mut self, now: Timestamp) {
        if Day::of(now) > self.day {
            (self.day, self.on_day) = (Day::of(now), Count::default());
        }
        if Month::of(now) > self.month {
            (self.month, self.in_month) = (Month::of(now), Count::default());
        }
    }

    fn day_standing(&self, limit: u64, now: Timestamp) -> Allowance {
        let (begins, ends) = (self.day.begins(), self.day.ends());
        self.on_day.allowance(Policy::Day, limit, (begins, ends), now)
    }

    fn month_standing(&self, limit: u64, now: Timestamp) -> Allowance {
        let (begins, ends) = (self.month.begins(), self.month.ends());
        self.in_month.allowance(Policy::Month, limit, (begins, ends), now)
    }
}

impl Count {
    fn allowance(
        self,
        policy: Policy,
        limit: u64,
        (begins, ends): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Allowance {
        Allowance {
            policy,
            limit,
            window: ends.since(begins).as_secs(),
            remaining: limit.saturating_sub(self.others.saturating_add(self.own)),
            reset: seconds_up(ends.since(now)),
            asked: now,
        }
    }

    fn give_back(&mut self) {
        // What is written can't be taken back.
        self.own = self.own.saturating_sub(1).max(self.written);
    }

    fn wrote(&mut self, tokens: u64) {
        self.written = self.written.saturating_add(tokens).min(self.own);
    }

    fn learn(&mut self, stored: u64) {
        self.others = stored.saturating_sub(self.written);
    }
}

#[cfg(test)]
mod tests;
