//! This file is where work whose caller has hung up makes room for work that somebody wants.
//!
//! A look goes over all that waits and all clients that are remembered, so it is taken only when a request would be
//! refused, or a crowd be said to stand, and so many have gone since the last one that it comes to a few entries for each
//! of them. Plain overload pays nothing here, and whoever hangs up for no other purpose as little as by asking.

use super::{Asker, FairQueue, Wanted, lines};
use crate::signing::shed::Moment;

/// A look goes over no more entries than this for each caller that has gone. Of the places one in so many may be held
/// for nobody.
const ENTRIES_EACH: usize = 16;

impl<Job: Wanted> FairQueue<Job> {
    /// Takes up that so many callers have gone, whether or not their work still waits.
    pub(in crate::signing) fn callers_gone(&mut self, count: usize) {
        self.gone = self.gone.saturating_add(count);
    }

    /// Drops what nobody wants any more if one more request would be too much with it.
    pub(super) fn make_room(&mut self, asker: Asker<'_>, moment: &Moment) {
        let entries = self.lines.len() + self.all.waiting;
        if self.gone.saturating_mul(ENTRIES_EACH) > entries && !self.bears_one_more(asker, moment) {
            self.gone = 0;
            self.drop_unwanted(moment);
        }
    }

    fn bears_one_more(&self, asker: Asker<'_>, moment: &Moment) -> bool {
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
            let before = line.jobs.len();
            line.jobs.retain(|waiting| waiting.job.is_wanted());
            let dropped = before - line.jobs.len();
            if dropped == 0 {
                continue;
            }
            if let Some(clients) = self.partners.get_mut(&line.partner) {
                lines::left(line, clients, &mut self.all, dropped, moment);
            }
        }
        if self.lines.len() > self.places.all {
            self.forget_idle(moment);
        }
    }

    /// Forgets the clients for which nothing waits, or callers that come and go would have ever more of them remembered.
    fn forget_idle(&mut self, moment: &Moment) {
        for clients in self.partners.values_mut() {
            clients.turns.retain(|id| self.lines.get(id).is_some_and(|line| !line.jobs.is_empty()));
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
