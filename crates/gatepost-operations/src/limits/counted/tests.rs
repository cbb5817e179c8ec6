//! This file is where the map of counted clients is held to what it promises: room, forgetting, who asks the store.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + seconds * 1_000_000)
}

fn client(number: usize) -> ClientId {
    ClientId::parse(&format!("client-{number}")).unwrap()
}

fn held(counted: &Counted) -> usize {
    counted.parts.iter().map(|part| part.lock().unwrap().clients.len()).sum()
}

#[test]
fn more_clients_than_fit_make_room_for_one_another_once_they_are_idle() {
    let counted = Counted::with_room(4);
    let rate = Rate::parse("10/min").unwrap();
    let asked = |clients: std::ops::Range<usize>, now| {
        clients.filter(|number| counted.admit(&client(*number), rate, now).is_some()).count()
    };
    assert_eq!(asked(0..9_000, at(0)), PARTS * 4, "the rest is told to come later");
    assert_eq!(asked(9_000..18_000, at(5)), 0, "none is forgotten while its count matters");
    assert_eq!(asked(9_000..18_000, at(6)), PARTS * 4);
    assert_eq!(held(&counted), PARTS * 4);
}

#[test]
fn a_clock_that_went_back_leaves_no_place_taken_for_longer_than_a_window() {
    for (rate, new_ones) in [("10/min", PARTS * 4), ("10/h", 0)] {
        let counted = Counted::with_room(4);
        let rate = Rate::parse(rate).unwrap();
        let asked = |clients: std::ops::Range<usize>, now| {
            clients.filter(|number| counted.admit(&client(*number), rate, now).is_some()).count()
        };
        assert_eq!(asked(0..9_000, at(600)), PARTS * 4);
        assert_eq!(asked(9_000..18_000, at(0)), new_ones, "ten minutes back at {rate}");
    }
}

#[test]
fn a_client_whose_tokens_are_not_written_is_never_forgotten() {
    let counted = Counted::with_room(4);
    let daily = ClientLimits { per_day: Some(1), ..ClientLimits::default() };
    let first = client(0);
    counted.met(&first, Issued::default(), at(0), at(0)).unwrap();
    counted.take(&first, &daily, at(0)).unwrap().unwrap();
    for number in 1..9_000 {
        let second = i64::try_from(number).unwrap();
        counted.met(&client(number), Issued::default(), at(second), at(second));
    }
    assert!(counted.take(&first, &daily, at(0)).unwrap().is_err());
    assert!(held(&counted) <= PARTS * 4);
}

#[test]
fn one_asks_the_store_again_and_the_others_go_on_with_what_is_known() {
    let counted = Counted::default();
    let app = client(1);
    assert_eq!(counted.knowledge(&app, at(0)), Knowledge::None);
    counted.met(&app, Issued::default(), at(0), at(0)).unwrap();
    assert_eq!(counted.knowledge(&app, at(3)), Knowledge::Fresh);
    assert_eq!(counted.knowledge(&app, at(4)), Knowledge::Stale);
    assert_eq!(counted.knowledge(&app, at(4)), Knowledge::Fresh);
    assert_eq!(counted.knowledge(&app, at(-1)), Knowledge::Stale, "a clock that went back makes it stale");
}

#[test]
fn only_who_was_asked_for_since_is_looked_up_again() {
    let counted = Counted::default();
    let daily = ClientLimits { per_day: Some(9), ..ClientLimits::default() };
    (0..3).for_each(|number| counted.met(&client(number), Issued::default(), at(0), at(0)).unwrap());
    assert_eq!(counted.touched(2).len() + counted.touched(2).len(), 3);
    assert_eq!(counted.touched(9), []);
    counted.take(&client(1), &daily, at(0)).unwrap().unwrap();
    assert_eq!(counted.touched(9), [client(1)]);
}
