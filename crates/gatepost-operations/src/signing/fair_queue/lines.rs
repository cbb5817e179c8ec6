//! This file is where what waits for one client is kept.

use std::collections::VecDeque;
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;

use super::Places;
use super::level::{Crowd, Level};
use crate::signing::cost::Cost;
use crate::signing::shed::{Moment, Shed, Standing};

/// What the queue must know of work.
pub(in crate::signing) trait Wanted {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
}

/// What waits for one client, and what is known of it.
pub(super) struct Line<Job> {
    /// Among whose clients it takes turns, also when the client should have moved meanwhile.
    pub(super) partner: PartnerId,
    pub(super) jobs: VecDeque<Waiting<Job>>,
    pub(super) standing: Standing,
}

/// One piece of work that waits.
pub(super) struct Waiting<Job> {
    pub(super) job: Job,
    pub(super) cost: Cost,
    pub(super) since: Duration,
}

/// Drops from a line what is too old, by itself or in a crowd that it is of, or no longer wanted.
pub(super) fn drop_old<Job: Wanted>(
    line: &mut Line<Job>,
    clients: &mut Level<ClientId>,
    all: &mut Level<PartnerId>,
    moment: &Moment,
    shed: &mut Vec<(Job, Shed)>,
) {
    let (before, of_partner) = (line.jobs.len(), clients.waiting);
    while let Some(head) = line.jobs.front() {
        if !head.job.is_wanted() {
            // That nobody waited so long says nothing of how late answers are.
            drop(line.jobs.pop_front());
            continue;
        }
        let waited = moment.now.saturating_sub(head.since);
        let why = line.standing.sheds(waited, moment);
        let why = why.or_else(|| clients.crowd.sheds(before, waited, moment));
        let Some(why) = why.or_else(|| all.crowd.sheds(of_partner, waited, moment)) else { break };
        shed.extend(line.jobs.pop_front().map(|head| (head.job, why)));
    }
    let dropped = before - line.jobs.len();
    if dropped > 0 {
        left(line, clients, all, dropped, moment);
    }
}

/// Takes out of a line the next work that somebody wants: the newest where the line rises or stands.
pub(super) fn pop<Job: Wanted>(
    line: &mut Line<Job>,
    clients: &mut Level<ClientId>,
    all: &mut Level<PartnerId>,
    moment: &Moment,
) -> Option<Waiting<Job>> {
    let (before, newest) = (line.jobs.len(), line.standing.newest_first(moment));
    let next = || if newest { line.jobs.pop_back() } else { line.jobs.pop_front() };
    let work = std::iter::from_fn(next).find(|next| next.job.is_wanted());
    left(line, clients, all, before - line.jobs.len(), moment);
    work
}

/// What this work costs, in parts; nothing if there is none.
pub(super) fn parts<Job>(work: Option<&Waiting<Job>>) -> i64 {
    work.map_or(0, |work| work.cost.parts())
}

/// Whether one more may wait in a line. If not, the line has overflowed; or the crowd among the clients of its partner,
/// when they take the last place together.
pub(super) fn has_place<Job>(
    line: &mut Line<Job>,
    clients: &mut Level<ClientId>,
    all: &Level<PartnerId>,
    places: Places,
    moment: &Moment,
) -> bool {
    let free = places.all - all.waiting;
    let is_full = line.jobs.len() >= places.per_client.min(free);
    if !is_full && clients.waiting < free {
        return true;
    }
    let alone = is_full || !Crowd::has(line.jobs.len(), moment);
    if alone { &mut line.standing } else { &mut clients.crowd.0 }.overflowed(moment);
    false
}

/// Notes that work came into a line, and by that for its partner.
pub(super) fn joined<Job>(
    line: &mut Line<Job>,
    clients: &mut Level<ClientId>,
    all: &mut Level<PartnerId>,
    moment: &Moment,
) {
    line.standing.arrived();
    clients.joined(line.jobs.len(), moment);
    all.joined(clients.waiting, moment);
}

/// Notes that so much work left a line, and by that its partner.
pub(super) fn left<Job>(
    line: &mut Line<Job>,
    clients: &mut Level<ClientId>,
    all: &mut Level<PartnerId>,
    count: usize,
    moment: &Moment,
) {
    line.standing.departed(u32::try_from(count).unwrap_or(u32::MAX));
    clients.left(line.jobs.len(), count, moment);
    all.left(clients.waiting, count, moment);
}
