//! This file is where work whose caller has hung up makes room for work that somebody wants.
//!
//! A look goes over all lines, so it is taken only when a request would be refused, or a crowd be said to stand, and
//! somebody has left since the last look: a plain overload costs nothing here, and a caller that hangs up no more than
//! one look over the places.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_core::clients::ClientId;

use super::lines::{self, Line};
use super::{Asker, FairQueue, Wanted};
use crate::signing::shed::Moment;

/// Where callers leave word that they have gone. Nobody waits here for a lock.
#[derive(Clone, Debug, Default)]
pub(in crate::signing) struct Gone(Arc<AtomicBool>);

impl Gone {
    /// Says that somebody has gone, after the work was made unwanted.
    pub(in crate::signing) fn tell(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Forgets the word before the look, so that whoever goes during it is found by the next.
    fn hear(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }
}

impl<Job: Wanted> FairQueue<Job> {
    /// Where callers tell this queue that they have gone.
    pub(in crate::signing) fn gone(&self) -> Gone {
        self.gone.clone()
    }

    /// Drops what nobody wants any more if one more request would be too much with it.
    pub(super) fn make_room(&mut self, asker: Asker<'_>, moment: &Moment) {
        if self.gone.is_told() && !self.has_place(asker, moment) {
            self.gone.hear();
            self.drop_unwanted(moment);
        }
    }

    fn has_place(&self, asker: Asker<'_>, moment: &Moment) -> bool {
        let free = self.places.all.saturating_sub(self.all.waiting);
        let line = self.lines.get(asker.client);
        let clients = self.partners.get(&line.map_or(asker.partner, |line| line.partner));
        let of_client = line.map_or(0, |line| line.jobs.len());
        of_client < self.places.per_client
            && clients.map_or(0, |clients| clients.waiting) < free
            && clients.is_none_or(|clients| clients.crowd.bears_one_more(moment))
            && self.all.crowd.bears_one_more(moment)
    }

    fn drop_unwanted(&mut self, moment: &Moment) {
        for line in self.lines.values_mut() {
            let Some(clients) = self.partners.get_mut(&line.partner) else { continue };
            let before = line.jobs.len();
            line.jobs.retain(|waiting| waiting.job.is_wanted());
            let dropped = before - line.jobs.len();
            if dropped > 0 {
                lines::left(line, clients, &mut self.all, dropped, moment);
            }
        }
        if self.lines.len() > self.places.all {
            self.forget_idle(moment);
        }
    }

    /// Forgets the clients for which nothing waits, or callers that come and go would have ever more of them remembered.
    fn forget_idle(&mut self, moment: &Moment) {
        let is_busy = |lines: &HashMap<ClientId, Line<Job>>, id: &ClientId| {
            lines.get(id).is_some_and(|line| !line.jobs.is_empty())
        };
        for clients in self.partners.values_mut() {
            clients.turns.retain(|id| is_busy(&self.lines, id));
        }
        for (id, line) in self.lines.extract_if(|_, line| line.jobs.is_empty()) {
            self.stood.keep(id, line.standing, moment.now);
        }
        for (id, clients) in self.partners.extract_if(|_, clients| clients.turns.is_empty()) {
            self.stood_partners.keep(id, clients.crowd.0, moment.now);
        }
        self.all.turns.retain(|id| self.partners.contains_key(id));
    }
}
