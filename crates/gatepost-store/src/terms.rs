//! This file is where the terms that clients have in common are kept, each once, by a number.
//!
//! They are counted: those that nobody has any more make room for others. When a partner changes, its terms hold no
//! longer, however many clients have them: that is one mark, and each client lets go of its number when it is next kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_core::clients::ClientRecord;
use gatepost_core::partners::PartnerId;

/// Of a partner's terms so many are compared with a new client's, the latest first.
const COMPARED: usize = 16;

/// Terms by number, at most 65,536 at a time.
#[derive(Default)]
pub(crate) struct Terms {
    list: Vec<Option<Had>>,
    /// Numbers that are free again.
    free: Vec<u16>,
    of: HashMap<PartnerId, Of>,
}

/// Terms that somebody has.
struct Had {
    terms: Box<ClientRecord>,
    by: usize,
    is_over: Arc<AtomicBool>,
}

/// A partner's terms since it last changed.
#[derive(Default)]
struct Of {
    latest: Vec<u16>,
    had_by: usize,
    is_over: Arc<AtomicBool>,
}

impl Terms {
    /// The number of these, which one more client has now; none when there are too many different ones.
    pub(crate) fn take(&mut self, terms: ClientRecord) -> Option<u16> {
        let partner = terms.client.partner_id;
        let number = match self.found(partner, &terms) {
            Some(number) => number,
            None => self.added(partner, terms)?,
        };
        self.list.get_mut(usize::from(number))?.as_mut()?.by += 1;
        self.of.get_mut(&partner)?.had_by += 1;
        Some(number)
    }

    fn found(&self, partner: PartnerId, terms: &ClientRecord) -> Option<u16> {
        let of = self.of.get(&partner)?;
        of.latest.iter().rev().copied().find(|number| self.at(*number) == Some(terms))
    }

    fn added(&mut self, partner: PartnerId, terms: ClientRecord) -> Option<u16> {
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                let next = u16::try_from(self.list.len()).ok()?;
                self.list.push(None);
                next
            }
        };
        let of = self.of.entry(partner).or_default();
        if of.latest.len() == COMPARED {
            of.latest.remove(0);
        }
        of.latest.push(number);
        let had = Had { terms: Box::new(terms), by: 0, is_over: Arc::clone(&of.is_over) };
        *self.list.get_mut(usize::from(number))? = Some(had);
        Some(number)
    }

    /// One client less has those of this number.
    pub(crate) fn give_back(&mut self, number: u16) {
        let Some(place) = self.list.get_mut(usize::from(number)) else {
            return;
        };
        let Some(had) = place else {
            return;
        };
        had.by -= 1;
        let partner = had.terms.client.partner_id;
        let (is_last, is_over) = (had.by == 0, had.is_over.load(Ordering::Relaxed));
        if is_last {
            *place = None;
            self.free.push(number);
        }
        if !is_over {
            self.one_less_of(partner, is_last.then_some(number));
        }
    }

    /// One client less of the partner has terms, and nobody any more those of the number that is gone.
    fn one_less_of(&mut self, partner: PartnerId, gone: Option<u16>) {
        let Some(of) = self.of.get_mut(&partner) else {
            return;
        };
        of.had_by -= 1;
        of.latest.retain(|latest| Some(*latest) != gone);
        if of.had_by == 0 {
            self.of.remove(&partner);
        }
    }

    /// Those of this number, if they still hold.
    pub(crate) fn at(&self, number: u16) -> Option<&ClientRecord> {
        let had = self.list.get(usize::from(number))?.as_ref()?;
        (!had.is_over.load(Ordering::Relaxed)).then_some(&had.terms)
    }

    /// Those of the partner hold no longer; says how many clients had them.
    pub(crate) fn end(&mut self, partner: PartnerId) -> usize {
        let Some(of) = self.of.remove(&partner) else {
            return 0;
        };
        of.is_over.store(true, Ordering::Relaxed);
        of.had_by
    }
}
