//! This file is where the next work is found: the partner whose turn it is, then its client, then the work.
//!
//! On both levels a newcomer gives its turn to the newest one where the crowd is served from there, after what is too old
//! of its own was dropped.

use std::collections::HashMap;

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;

use super::level::Level;
use super::lines::{Line, Waiting, Wanted, left, parts};
use super::stood::Stood;
use super::turns::Turn;
use crate::signing::shed::{Moment, Shed};

/// What is looked at beside the clients of one partner while work is taken.
pub(super) struct Taking<'a, Job> {
    pub(super) all: &'a mut Level<PartnerId>,
    pub(super) lines: &'a mut HashMap<ClientId, Line<Job>>,
    pub(super) stood: &'a mut Stood<ClientId>,
    /// While there are no more lines than this, one is kept without waiting work.
    pub(super) remembered: usize,
    pub(super) moment: Moment,
    pub(super) shed: &'a mut Vec<(Job, Shed)>,
}

impl<Job: Wanted> Taking<'_, Job> {
    /// The client whose turn it is among those of a partner, if any has work. Those without are forgotten on the way,
    /// all of them when nothing waits, but for a newcomer's.
    pub(super) fn client(
        &mut self,
        clients: &mut Level<ClientId>,
        of_newcomer: bool,
    ) -> Option<Turn<ClientId>> {
        loop {
            let turn = clients.turns.next()?;
            if let Some(turn) = self.ready(clients, turn) {
                if !clients.gives_way(&turn, &self.moment) {
                    return Some(turn);
                }
                let newest = clients.turns.newest_instead_of(turn);
                if let Some(newest) = self.ready(clients, newest) {
                    return Some(newest);
                }
            }
            if of_newcomer && clients.waiting == 0 {
                return None;
            }
        }
    }

    /// The turn, if its client has work that is not too old; otherwise the client steps back or is forgotten.
    fn ready(&mut self, clients: &mut Level<ClientId>, turn: Turn<ClientId>) -> Option<Turn<ClientId>> {
        let line = self.lines.get_mut(&turn.id)?;
        let (moment, all, lengths) = (&self.moment, &mut *self.all, (line.jobs.len(), clients.waiting));
        let by_crowds = |waited| {
            let by_clients = clients.crowd.sheds(lengths.0, waited, moment);
            by_clients.or_else(|| all.crowd.sheds(lengths.1, waited, moment))
        };
        let dropped = line.drop_old(moment, by_crowds, self.shed);
        if dropped > 0 {
            left(line, clients, self.all, dropped, &self.moment);
        }
        if !line.jobs.is_empty() {
            return Some(turn);
        }
        // Who waited before is forgotten only when it comes to its turn and wants nothing; else asking one by one
        // would be a way always to go first.
        clients.turns.gone(&turn);
        let remember = turn.newcomer;
        self.step_back(clients, turn, remember);
        None
    }

    /// Work of a client whose turn it is.
    pub(super) fn serve(
        &mut self,
        clients: &mut Level<ClientId>,
        turn: Turn<ClientId>,
    ) -> Option<Waiting<Job>> {
        let line = self.lines.get_mut(&turn.id)?;
        let before = line.jobs.len();
        let work = line.pop(&self.moment);
        left(line, clients, self.all, before - line.jobs.len(), &self.moment);
        let waits = !line.jobs.is_empty();
        if let Some(turn) = clients.turns.pay(turn, parts(work.as_ref()), true) {
            if waits { clients.turns.step_back(turn) } else { self.step_back(clients, turn, true) }
        }
        work
    }

    /// Puts a client for which nothing waits behind the others, or forgets it.
    fn step_back(&mut self, clients: &mut Level<ClientId>, turn: Turn<ClientId>, remember: bool) {
        if remember && self.lines.len() <= self.remembered {
            clients.turns.step_back(turn);
        } else if let Some(line) = self.lines.remove(&turn.id) {
            self.stood.keep(turn.id, line.standing, self.moment.now);
        }
    }
}
