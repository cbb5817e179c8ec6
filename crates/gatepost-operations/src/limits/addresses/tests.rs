//! This file is where it is tried that what somebody takes from many addresses is not missing elsewhere.

use std::ops::Range;

use super::*;

const SECOND: i64 = 1_000_000;
/// What the rate below gives at once.
const WHOLE: usize = 10;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + micros)
}

fn rate() -> Rate {
    Rate::parse("10/min").unwrap()
}

/// A client of a partner.
struct Caller(ClientId, PartnerId);

fn caller(partner: u128, client: usize) -> Caller {
    let id = ClientId::parse(&format!("client-{client}")).unwrap();
    Caller(id, PartnerId(uuid::Uuid::from_u128(partner)))
}

/// The network of 64 bits with that number in an IPv6 network of 32.
fn network(number: usize) -> Neighborhood {
    let [high, low] = [number >> 16, number & 0xffff].map(|part| u16::try_from(part).unwrap());
    Neighborhood::V6([0x2001, 0xdb8, high, low])
}

fn address(last: u8) -> Neighborhood {
    Neighborhood::V4([203, 0, 113, last].into())
}

impl Caller {
    fn asks(&self, addresses: &Addresses, from: Neighborhood, micros: i64) -> bool {
        let verdict = addresses.take(from, (&self.0, self.1), rate(), at(micros));
        verdict.is_none_or(|verdict| matches!(verdict, Verdict::Admitted { .. }))
    }

    /// How many of thirty requests from there are served.
    fn gets(&self, addresses: &Addresses, from: Neighborhood, micros: i64) -> usize {
        (0..30).filter(|_| self.asks(addresses, from, micros)).count()
    }

    /// How many of these networks are served, once each.
    fn floods(&self, addresses: &Addresses, networks: Range<usize>, micros: i64) -> usize {
        networks.filter(|number| self.asks(addresses, network(*number), micros)).count()
    }
}

fn places<K>(table: &Table<K>) -> usize {
    table.parts.iter().map(|part| part.lock().unwrap().places.len()).sum()
}

#[test]
fn after_a_client_from_a_hundred_thousand_networks_others_get_all_that_their_rate_gives() {
    let addresses = Addresses::default();
    caller(1, 1).floods(&addresses, 0..100_000, 0);
    assert_eq!(caller(2, 2).gets(&addresses, address(2), 0), WHOLE, "a client of another partner");
    assert_eq!(caller(1, 3).gets(&addresses, address(3), 0), WHOLE, "and one of the same");
}

#[test]
fn who_comes_from_more_networks_than_a_partner_has_places_gets_its_rate_once_from_the_rest() {
    let addresses = Addresses::default();
    let most = PARTS * OF_ADDRESSES.of_a_partner;
    assert_eq!(caller(1, 1).floods(&addresses, 0..100_000, 0), most + WHOLE);
    assert_eq!((places(&addresses.networks), places(&addresses.clients)), (most, 1));
}

#[test]
fn a_partner_with_very_many_clients_takes_nothing_from_another_with_many_addresses() {
    let addresses = Addresses::default();
    for client in 0..20_000 {
        caller(1, client).floods(&addresses, client * 8..client * 8 + 8, 0);
    }
    assert_eq!(places(&addresses.clients), PARTS * OF_CLIENTS.of_a_partner);
    let other = caller(2, 20_000);
    assert!((0..50).all(|last| other.gets(&addresses, address(last), 0) == WHOLE));
}

#[test]
fn when_all_places_are_taken_a_client_at_its_own_address_still_gets_its_rate_and_no_more_is_kept() {
    let addresses = Addresses::default();
    for partner in 0..40 {
        let first = usize::try_from(partner).unwrap() * 6_000;
        caller(partner, first).floods(&addresses, first..first + 6_000, 0);
    }
    assert_eq!(places(&addresses.networks), PARTS * OF_ADDRESSES.most);
    assert_eq!(caller(99, 1).gets(&addresses, address(1), 0), WHOLE);
}

/// What the places of a table take in memory once they are free; what an entry points to is not in it.
fn weighed<K>(table: &Table<K>) -> usize {
    let part = |part: &Mutex<Part<K>>| {
        let mut part = part.lock().unwrap();
        // Only an empty map tells how many it has room for: what was deleted may still take room.
        part.places.clear();
        part.held.clear();
        let (places, held) = (part.places.capacity() * 8 / 7, part.held.capacity() * 8 / 7);
        places * (size_of::<(K, Place)>() + 1) + held * (size_of::<(PartnerId, usize)>() + 1)
    };
    table.parts.iter().map(part).sum()
}

#[test]
fn whatever_has_come_and_gone_the_places_take_21_megabytes_at_most() {
    let addresses = Addresses::default();
    for round in 0..3_usize {
        for number in round * 200_000..(round + 1) * 200_000 {
            let each = caller(number as u128, number);
            each.floods(&addresses, number..number + 1, 61 * SECOND * i64::try_from(round).unwrap());
        }
    }
    assert_eq!(places(&addresses.networks), PARTS * OF_ADDRESSES.most);
    assert_eq!(places(&addresses.clients), PARTS * OF_CLIENTS.most);
    let ids = PARTS * OF_CLIENTS.most * 64;
    let taken = weighed(&addresses.networks) + weighed(&addresses.clients) + ids;
    assert!(taken <= 21_000_000, "{taken}");
}

#[test]
fn who_finds_no_place_at_all_is_served() {
    let none = || Table { parts: Vec::new(), ..Table::with(OF_CLIENTS) };
    let addresses =
        Addresses { networks: Table { parts: Vec::new(), ..Table::with(OF_ADDRESSES) }, clients: none() };
    assert_eq!(caller(1, 1).gets(&addresses, address(1), 0), 30);
}

#[test]
fn an_address_that_may_ask_for_its_whole_rate_again_makes_room() {
    let addresses = Addresses::default();
    let most = PARTS * OF_ADDRESSES.of_a_partner;
    let asked = |networks: Range<usize>, micros| {
        caller(1, 1).floods(&addresses, networks, micros);
        places(&addresses.networks)
    };
    assert_eq!(asked(0..50_000, 0), most);
    let is_new = |number: usize, micros| caller(1, 1).gets(&addresses, network(number), micros) == WHOLE;
    assert!(!is_new(60_000, 5_999_999), "none is forgotten while it counts");
    assert!(is_new(60_001, 7 * SECOND));
    assert_eq!(asked(100_000..150_000, 8 * SECOND), most);
}

#[test]
fn clients_of_several_partners_behind_one_address_share_its_rate() {
    let addresses = Addresses::default();
    assert!((0..4).all(|_| caller(1, 1).asks(&addresses, address(1), 0)));
    assert_eq!(caller(2, 2).gets(&addresses, address(1), 0), WHOLE - 4);
    assert!(!caller(1, 1).asks(&addresses, address(1), 5_999_999));
    assert!(caller(2, 2).asks(&addresses, address(1), 6 * SECOND));
}

#[test]
fn a_clock_that_went_back_costs_a_window_and_leaves_no_place_taken() {
    let addresses = Addresses::default();
    let hour = 3_600 * SECOND;
    caller(1, 1).floods(&addresses, 0..50_000, hour);
    assert_eq!(caller(1, 1).gets(&addresses, network(60_000), 0), WHOLE);
    assert_eq!(caller(2, 2).gets(&addresses, address(1), hour), WHOLE);
    assert_eq!(caller(2, 2).gets(&addresses, address(1), 0), 0);
    assert_eq!(caller(2, 2).gets(&addresses, address(1), 60 * SECOND), WHOLE);
}
