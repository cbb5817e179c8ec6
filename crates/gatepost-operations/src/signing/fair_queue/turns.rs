//! This file is where those who want something take turns: partners with each other, and the clients of one partner.
//!
//! The idea: deficit round robin (Shreedhar and Varghese 1995): a turn is worth one RSA-4096 signature, so that eight of
//! RSA-2048 weigh as much. Who did not wait before is a newcomer and goes ahead of those that did (RFC 8290, section
//! 4.2), so that one who asks seldom waits for a free thread and for little else. Who takes part stays until it is
//! dropped; that is decided by those who know whether it still wants something.

use std::collections::VecDeque;
use std::mem;

use crate::signing::cost::TURN;

/// How many newcomers go first before one of those who wait has a turn.
const NEWCOMERS_IN_A_ROW: u32 = 8;

/// The turn of one who takes part.
pub(super) struct Turn<Id> {
    pub(super) id: Id,
    pub(super) newcomer: bool,
    credit: i64,
}

/// Who takes part, in the order of their turns.
pub(super) struct Turns<Id> {
    newcomers: VecDeque<Turn<Id>>,
    others: VecDeque<Turn<Id>>,
    newcomers_in_a_row: u32,
}

impl<Id> Default for Turns<Id> {
    fn default() -> Self {
        Self { newcomers: VecDeque::new(), others: VecDeque::new(), newcomers_in_a_row: 0 }
    }
}

impl<Id> Turns<Id> {
    /// Takes a newcomer in.
    pub(super) fn join(&mut self, id: Id) {
        self.newcomers.push_back(Turn { id, newcomer: true, credit: TURN });
    }

    /// Whose turn it is. Whoever owes more than a turn steps back instead.
    pub(super) fn next(&mut self) -> Option<Turn<Id>> {
        loop {
            let enough = self.newcomers_in_a_row >= NEWCOMERS_IN_A_ROW && !self.others.is_empty();
            let newcomer = if enough { None } else { self.newcomers.pop_front() };
            let mut turn = newcomer.or_else(|| self.others.pop_front())?;
            if turn.credit > 0 {
                return Some(turn);
            }
            turn.credit += TURN;
            self.others.push_back(turn);
        }
    }

    /// The turn of the newest newcomer in place of a newcomer's, who stays the next.
    pub(super) fn newest_instead_of(&mut self, mut turn: Turn<Id>) -> Turn<Id> {
        if let Some(newest) = self.newcomers.pop_back() {
            self.newcomers.push_front(mem::replace(&mut turn, newest));
        }
        turn
    }

    /// Leaves the turn with whom it belongs to: it is the next again.
    pub(super) fn keep(&mut self, turn: Turn<Id>) {
        if turn.newcomer { &mut self.newcomers } else { &mut self.others }.push_front(turn);
    }

    /// Has a turn pay for work of that many parts. While its credit lasts, and it `stays`, it is the next again; else it
    /// is given back.
    pub(super) fn pay(&mut self, mut turn: Turn<Id>, parts: i64, stays: bool) -> Option<Turn<Id>> {
        turn.credit -= parts;
        let is_over = turn.credit <= 0 || !stays;
        if is_over {
            turn.credit += TURN;
            self.over(&turn);
        }
        if !turn.newcomer {
            self.newcomers_in_a_row = 0;
        }
        if is_over {
            return Some(turn);
        }
        self.keep(turn);
        None
    }

    /// Notes that a turn is over.
    pub(super) fn over(&mut self, turn: &Turn<Id>) {
        self.newcomers_in_a_row = self.newcomers_in_a_row.saturating_add(u32::from(turn.newcomer));
    }

    /// Puts one behind the others, of whom it is one now.
    pub(super) fn step_back(&mut self, turn: Turn<Id>) {
        self.others.push_back(Turn { newcomer: false, ..turn });
    }

    /// Whether newcomers wait for their turn.
    pub(super) fn has_newcomers(&self) -> bool {
        !self.newcomers.is_empty()
    }

    /// Has only those go on taking part.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Id) -> bool) {
        self.newcomers.retain(|turn| stays(&turn.id));
        self.others.retain(|turn| stays(&turn.id));
    }

    /// Whether nobody takes part.
    pub(super) fn is_empty(&self) -> bool {
        self.newcomers.is_empty() && self.others.is_empty()
    }

    /// How many take part.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.newcomers.len() + self.others.len()
    }
}
