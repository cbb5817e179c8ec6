//! This file is where the records of very many clients are kept small, each at the place of its id.
//!
//! The limits: at most as many as there is room for, first come, and at most 65,536 different terms; who finds no room
//! is not kept here. The price: a record is put together anew for each look-up, which takes half a microsecond.

use std::collections::HashMap;

use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::partners::PartnerId;

use crate::packed::{packed, unpacked};

/// Of a partner's terms so many are compared with a new client's, the latest first.
const COMPARED: usize = 16;

/// Records by place.
pub(crate) struct Slots {
    slots: Box<[Slot]>,
    kept: usize,
    room: usize,
    terms: Terms,
}

#[derive(Clone, Default)]
struct Slot {
    own: Option<Box<[u8]>>,
    terms: u16,
}

impl Slots {
    /// Places for so many clients, of which at most `room` are kept.
    pub(crate) fn of(places: usize, room: usize) -> Self {
        Self {
            slots: vec![Slot::default(); places].into_boxed_slice(),
            kept: 0,
            room,
            terms: Terms::default(),
        }
    }

    /// The record at that place.
    pub(crate) fn at(&self, place: usize, id: &ClientId) -> Option<ClientRecord> {
        let Slot { own, terms } = self.slots.get(place)?;
        unpacked(id, self.terms.list.get(usize::from(*terms))?.as_ref()?, own.as_deref()?)
    }

    /// Keeps the record; false when there is no room for it.
    pub(crate) fn keep(&mut self, place: usize, record: &ClientRecord) -> bool {
        self.clear(place);
        if self.kept >= self.room {
            return false;
        }
        let Some((terms, own)) = packed(record) else {
            return false;
        };
        let (Some(slot), Some(terms)) = (self.slots.get_mut(place), self.terms.number(terms)) else {
            return false;
        };
        *slot = Slot { own: Some(own), terms };
        self.kept += 1;
        true
    }

    /// Forgets the record at that place.
    pub(crate) fn clear(&mut self, place: usize) {
        let own = self.slots.get_mut(place).and_then(|slot| slot.own.take());
        self.kept -= usize::from(own.is_some());
    }

    /// Forgets the partner's clients, and says how many these were.
    pub(crate) fn clear_partner(&mut self, partner: PartnerId) -> usize {
        let ended = self.terms.end(partner);
        let mut is_ended = vec![false; 1 << u16::BITS];
        for number in ended {
            if let Some(of_number) = is_ended.get_mut(usize::from(number)) {
                *of_number = true;
            }
        }
        let before = self.kept;
        for slot in &mut self.slots {
            if is_ended.get(usize::from(slot.terms)) == Some(&true) && slot.own.take().is_some() {
                self.kept -= 1;
            }
        }
        before - self.kept
    }
}

/// The terms that clients have, each once, by number.
#[derive(Default)]
struct Terms {
    list: Vec<Option<Box<ClientRecord>>>,
    /// Numbers that are free again.
    free: Vec<u16>,
    of: HashMap<PartnerId, Vec<u16>>,
}

impl Terms {
    /// The number of these; none when there are too many already.
    fn number(&mut self, terms: ClientRecord) -> Option<u16> {
        let Self { list, free, of } = self;
        let of = of.entry(terms.client.partner_id).or_default();
        let is_it = |number: &&u16| {
            list.get(usize::from(**number)).is_some_and(|these| these.as_deref() == Some(&terms))
        };
        if let Some(number) = of.iter().rev().take(COMPARED).find(is_it) {
            return Some(*number);
        }
        let number = match free.pop() {
            Some(number) => number,
            None => u16::try_from(list.len()).ok()?,
        };
        list.resize(list.len().max(usize::from(number) + 1), None);
        *list.get_mut(usize::from(number))? = Some(Box::new(terms));
        of.push(number);
        Some(number)
    }

    /// Forgets those of a partner, and says which these were.
    fn end(&mut self, partner: PartnerId) -> Vec<u16> {
        let numbers = self.of.remove(&partner).unwrap_or_default();
        for number in &numbers {
            if let Some(terms) = self.list.get_mut(usize::from(*number)) {
                *terms = None;
            }
        }
        self.free.extend(&numbers);
        numbers
    }
}
