//! This file is where the next work is found: the partner whose turn it is, then its client, then the work.
//!
//! On both levels a newcomer gives its turn to the newest one where the crowd is served from there, after what is too old
//! of its own was dropped.

use std::collections::HashMap;

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;

use super::level::Level;
use super::lines::{Line, Waiting, Wanted, drop_old, parts, pop};
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

/// What a visit to a partner brings.
pub(super) enum Visit<Job> {
    /// Its turn was used; without work where nobody wanted what waited.
    Served(Option<Waiting<Job>>),
    /// A newer partner is to be served in its place.
    GivesWay,
    /// None of its clients has work.
    Idle,
}

impl<Job: Wanted> Taking<'_, Job> {
    /// Visits the clients of a partner whose turn it is, or who is served `in_place` of another. Those without work are
    /// forgotten on the way, all of them when nothing waits, but for a newcomer's.
    pub(super) fn visit(
        &mut self,
        clients: &mut Level<ClientId>,
        partner: &Turn<PartnerId>,
        in_place: bool,
    ) -> Visit<Job> {
        let mut newest = None;
        loop {
            let is_newest = newest.is_some();
            let Some(turn) = newest.take().or_else(|| clients.turns.next()) else { return Visit::Idle };
            let Some(line) = self.lines.get_mut(&turn.id) else { continue };
            drop_old(line, clients, self.all, &self.moment, self.shed);
            if line.jobs.is_empty() {
                self.rest(clients, turn);
                if partner.newcomer && clients.waiting == 0 {
                    return Visit::Idle;
                }
            } else if !is_newest && clients.gives_way(&turn, &self.moment) {
                newest = Some(clients.turns.newest_instead_of(turn));
            } else if !in_place && self.all.gives_way(partner, &self.moment) {
                clients.turns.keep(turn);
                return Visit::GivesWay;
            } else {
                let work = pop(line, clients, self.all, &self.moment);
                let waits = !line.jobs.is_empty();
                self.pay(clients, turn, parts(work.as_ref()), waits);
                return Visit::Served(work);
            }
        }
    }

    /// Who waited before is forgotten only when it comes to its turn and wants nothing; else asking one by one would be
    /// a way always to go first.
    fn rest(&mut self, clients: &mut Level<ClientId>, turn: Turn<ClientId>) {
        clients.turns.over(&turn);
        if turn.newcomer {
            self.remember(clients, turn);
        } else {
            self.forget(turn);
        }
    }

    /// While the credit of a client lasts it has the next turn too, else the others come first.
    fn pay(&mut self, clients: &mut Level<ClientId>, turn: Turn<ClientId>, parts: i64, waits: bool) {
        let Some(turn) = clients.turns.pay(turn, parts, true) else { return };
        if waits {
            clients.turns.step_back(turn);
        } else {
            self.remember(clients, turn);
        }
    }

    /// Keeps a client for which nothing waits, if there is room.
    fn remember(&mut self, clients: &mut Level<ClientId>, turn: Turn<ClientId>) {
        if self.lines.len() <= self.remembered {
            clients.turns.step_back(turn);
        } else {
            self.forget(turn);
        }
    }

    fn forget(&mut self, turn: Turn<ClientId>) {
        if let Some(line) = self.lines.remove(&turn.id) {
            self.stood.keep(turn.id, line.standing, self.moment.now);
        }
    }
}
