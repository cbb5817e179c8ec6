//! This file is where finished signatures wait for each other, so that short ones leave a few at a time.
//!
//! An answer wakes a thread that writes it, and where cores are busy that thread takes the core of one that signs. Beside
//! a long signature this is nothing, beside one of RSA-2048 it is a fifth of it; four that leave together cost it once.
//! The limit: half a turn of signing, and only while so many wait that none of them notices.

use super::cost::{Cost, TURN};

/// Answers leave together while so many requests wait for each thread.
const MANY: usize = 16;

/// What is ready to leave.
pub(super) struct Answers<Answer> {
    ready: Vec<Answer>,
    parts: i64,
}

impl<Answer> Answers<Answer> {
    pub(super) fn new() -> Self {
        Self { ready: Vec::new(), parts: 0 }
    }

    /// Keeps an answer whose signature cost that much.
    pub(super) fn keep(&mut self, answer: Answer, cost: Cost) {
        self.ready.push(answer);
        self.parts = self.parts.saturating_add(cost.parts());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Those that leave now, where so many requests wait for each thread: all of them or none.
    pub(super) fn due(&mut self, waiting: usize) -> impl Iterator<Item = Answer> {
        let stay = waiting >= MANY && self.parts < TURN / 2;
        if !stay {
            self.parts = 0;
        }
        let leaving = if stay { 0 } else { self.ready.len() };
        self.ready.drain(..leaving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = 512;
    const SHORT: usize = 256;

    /// How many left after each of these, while that many wait.
    fn left(lengths: &[usize], waiting: usize) -> Vec<usize> {
        let mut answers = Answers::new();
        let each = |length: &usize| {
            answers.keep((), Cost::of_rsa(*length, None));
            answers.due(waiting).count()
        };
        lengths.iter().map(each).collect()
    }

    #[test]
    fn while_many_wait_four_short_signatures_leave_together_and_long_ones_at_once() {
        assert_eq!(left(&[SHORT; 8], MANY), [0, 0, 0, 4, 0, 0, 0, 4]);
        assert_eq!(left(&[LONG; 2], MANY), [1, 1]);
        assert_eq!(left(&[SHORT, LONG, SHORT], MANY), [0, 2, 0]);
    }

    #[test]
    fn while_few_wait_none_waits_for_another() {
        assert_eq!(left(&[SHORT; 3], MANY - 1), [1, 1, 1]);
    }
}
