//! This file is where the records of very many clients are kept small, each at the place of its id.
//!
//! The limits: at most as many as there is room for, first come, at most 65,536 different terms at a time, and none with
//! keys of its own; who finds no room is not kept here. The price: a record is put together anew for each look-up, which
//! takes half a microsecond.

use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::partners::PartnerId;

use crate::cells::{Cell, Cells};
use crate::packed::{Packed, unpacked};
use crate::terms::Terms;

/// Records by place.
pub(crate) struct Slots {
    /// Where that of each place lies; its label there is the number of its terms.
    slots: Box<[Option<Cell>]>,
    cells: Cells,
    kept: usize,
    room: usize,
    terms: Terms,
}

impl Slots {
    /// Places for so many clients, of which at most `room` are kept.
    pub(crate) fn of(places: usize, room: usize) -> Self {
        let (cells, terms) = (Cells::default(), Terms::default());
        Self { slots: vec![None; places].into_boxed_slice(), cells, kept: 0, room, terms }
    }

    /// The record at that place.
    pub(crate) fn at(&self, place: usize, id: &ClientId) -> Option<ClientRecord> {
        let (terms, own) = self.cells.at((*self.slots.get(place)?)?)?;
        unpacked(id, self.terms.at(terms)?, own)
    }

    /// Keeps the record; false when there is no room for it.
    pub(crate) fn keep(&mut self, place: usize, record: Packed) -> bool {
        self.clear(place);
        if self.kept >= self.room {
            return false;
        }
        let Some(terms) = self.terms.take(record.terms) else {
            return false;
        };
        let (Some(slot), Some(cell)) = (self.slots.get_mut(place), self.cells.put(terms, &record.own)) else {
            self.terms.give_back(terms);
            return false;
        };
        *slot = Some(cell);
        self.kept += 1;
        true
    }

    /// Forgets the record at that place.
    pub(crate) fn clear(&mut self, place: usize) {
        let Some(cell) = self.slots.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.kept -= 1;
        if let Some(terms) = self.cells.let_go(cell) {
            self.terms.give_back(terms);
        }
    }

    /// Forgets the partner's clients, without a look at them, and says how many these were.
    pub(crate) fn clear_partner(&mut self, partner: PartnerId) -> usize {
        self.terms.end(partner)
    }
}

#[cfg(test)]
mod tests {
    use gatepost_core::clients::{Client, ClientKey, ClientKeyId, KeyMaterial, UngrantedScope, UserId};
    use gatepost_core::limits::ClientLimits;
    use gatepost_core::name::Name;
    use gatepost_core::partners::Status;
    use gatepost_core::scope::Scopes;
    use gatepost_core::time::{Lifetime, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::packed::packed;

    fn record(number: u128, partner: u128, quota: u64) -> ClientRecord {
        let client = Client {
            id: ClientId::from_uuid(Uuid::from_u128(number)),
            partner_id: PartnerId(Uuid::from_u128(partner)),
            user_id: UserId(Uuid::from_u128(number)),
            name: Name::parse("n").unwrap(),
            is_test: false,
            apis: Vec::new(),
            scopes: Scopes::parse("read").unwrap(),
            default_scopes: None,
            ungranted_scope: UngrantedScope::Refused,
            lifetime: Lifetime::from_seconds(900).unwrap(),
            allow: Vec::new(),
            auth_method: None,
            grant_types: Vec::new(),
            status: Status::Active,
            expires: None,
            created: Timestamp::from_micros(1),
            version: 1,
        };
        ClientRecord {
            client,
            partner_status: Status::Active,
            partner_expires: None,
            secrets: Vec::new(),
            keys: Vec::new(),
            limits: ClientLimits { per_day: Some(quota), ..ClientLimits::default() },
        }
    }

    fn is_kept(slots: &mut Slots, place: usize, record: &ClientRecord) -> bool {
        let taken = packed(record).is_some_and(|packed| slots.keep(place, packed));
        assert_eq!(slots.at(place, &record.client.id).as_ref() == Some(record), taken);
        taken
    }

    /// More than there can be different terms at a time.
    const TOO_MANY: u64 = (1 << u16::BITS) + 10;

    #[test]
    fn a_client_with_keys_of_its_own_takes_no_terms_from_the_others() {
        let mut slots = Slots::of(2, 2);
        for number in 0..TOO_MANY {
            let mut keyed = record(1, 1, 0);
            let material = KeyMaterial::JwksUri(format!("https://{number}.example/jwks"));
            let id = ClientKeyId(Uuid::from_u128(number.into()));
            keyed.keys.push(ClientKey { id, material, created: Timestamp::from_micros(1) });
            is_kept(&mut slots, 0, &keyed);
        }
        assert!(is_kept(&mut slots, 1, &record(2, 2, 0)));
    }

    #[test]
    fn terms_that_nobody_has_any_more_make_room_for_others() {
        let mut slots = Slots::of(3, 3);
        assert!(is_kept(&mut slots, 1, &record(2, 1, 7)) && is_kept(&mut slots, 2, &record(3, 1, 7)));
        for quota in 0..TOO_MANY {
            assert!(is_kept(&mut slots, 0, &record(1, 1, quota)), "{quota}");
        }
        slots.clear(1);
        assert_eq!(slots.at(2, &record(3, 1, 7).client.id), Some(record(3, 1, 7)), "still had by this one");
    }

    #[test]
    fn a_changed_partners_clients_are_gone_at_once_and_come_back_as_they_are_then() {
        let mut slots = Slots::of(3, 3);
        let all = [record(1, 1, 7), record(2, 1, 7), record(3, 2, 7)];
        all.iter().enumerate().for_each(|(place, record)| assert!(is_kept(&mut slots, place, record)));

        assert_eq!(slots.clear_partner(all[0].client.partner_id), 2);
        assert_eq!(slots.clear_partner(all[0].client.partner_id), 0, "once");
        assert_eq!([0, 1].map(|place| slots.at(place, &all[place].client.id)), [None, None]);
        assert!(slots.at(2, &all[2].client.id).is_some(), "of another partner");
        let suspended = ClientRecord { partner_status: Status::Suspended, ..all[0].clone() };
        assert!(is_kept(&mut slots, 0, &suspended));
        assert_eq!(slots.at(1, &all[1].client.id), None, "not with the terms of before");
        assert!(is_kept(
            &mut slots,
            1,
            &ClientRecord { partner_status: Status::Suspended, ..all[1].clone() }
        ));
    }
}
