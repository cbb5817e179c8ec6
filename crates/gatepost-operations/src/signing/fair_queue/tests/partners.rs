//! This file is where partners with several clients are held to their turns and bounds.

use super::*;

/// Asks for each letter's client, a small letter's of one partner and a capital's of another; the refusals.
fn push(queue: &mut FairQueue<Work>, names: &str, now: u64) -> Vec<Shed> {
    let mut push = |name: char| {
        let partner = PartnerId(Uuid::from_u128(name.is_ascii_uppercase().into()));
        let (client, job) = (client(name), Work(name, true));
        queue.push(Asker { partner, client: &client }, job, Cost::of_rsa(LONG, None), ms(now))
    };
    names.chars().filter_map(|name| push(name).err().map(|(_, why)| why)).collect()
}

#[test]
fn partners_take_turns_and_the_clients_of_each_among_themselves() {
    let mut queue = queue(64, 64);
    push(&mut queue, "aaabcAAABB", 0);
    assert_eq!(take(&mut queue, 10, 1).0, "aAbBcAaBaA");
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn a_newcomer_goes_first_among_the_clients_of_its_partner_and_not_before_others() {
    let mut queue = queue(64, 64);
    push(&mut queue, "aaaAAA", 0);
    assert_eq!(take(&mut queue, 2, 1).0, "aA");
    push(&mut queue, "b", 2);
    assert_eq!(take(&mut queue, 4, 2).0, "bAaA");
}

#[test]
fn a_partner_whose_clients_ask_one_after_the_other_waits_for_its_turn() {
    let mut queue = queue(64, 64);
    push(&mut queue, "AAAAAA", 0);
    assert_eq!(take(&mut queue, 1, 1).0, "A");
    push(&mut queue, "a", 2);
    assert_eq!(take(&mut queue, 1, 2).0, "a", "a newcomer");
    push(&mut queue, "b", 3);
    assert_eq!(take(&mut queue, 2, 3).0, "Ab", "of the same partner");
    push(&mut queue, "c", 4);
    assert_eq!(take(&mut queue, 2, 4).0, "Ac");
}

#[test]
fn of_one_partner_no_more_wait_than_places_are_free() {
    let mut queue = queue(8, 64);
    assert_eq!(push(&mut queue, "abcdea", 0), [Shed::Client; 2]);
    assert_eq!(push(&mut queue, "AB", 0), [], "of another partner");
    assert_eq!(queue.waiting(), 6);
}

#[test]
fn where_a_partner_takes_its_last_place_the_crowd_of_its_clients_stands_and_no_other() {
    let mut queue = queue(8, 64);
    push(&mut queue, "Aabcde", 1_000);
    let stands = |number| queue.partners[&PartnerId(Uuid::from_u128(number))].crowd.0.stands(ms(1_001));
    assert_eq!((stands(0), stands(1), queue.all.crowd.0.stands(ms(1_001))), (true, false, false));
}

#[test]
fn a_crowd_that_stood_is_remembered_while_its_partner_wants_nothing() {
    let mut queue = queue(8, 64);
    push(&mut queue, "abcde", 1_000);
    assert_eq!(take(&mut queue, 9, 1_150), (String::new(), 4));
    assert_eq!((queue.partners.len(), queue.all.turns.len(), queue.lines.len()), (0, 0, 0));
    push(&mut queue, "a", 1_200);
    assert_eq!(take(&mut queue, 9, 1_225), (String::new(), 1), "it still stands");
}

proptest! {
    #[test]
    fn of_many_partners_nothing_is_lost_and_no_bound_is_passed(
        steps in proptest::collection::vec((0_u8..60, 0_u8..3, any::<bool>(), 0_u64..40), 1..400),
    ) {
        let mut queue = queue(16, 4);
        let (mut now, mut accepted, mut left, mut shed) = (0, 0, 0, Vec::new());
        for (who, partner, wanted, passed) in steps {
            now += passed;
            let before = queue.waiting();
            if who < 45 {
                // A client may move to another partner.
                let partner = PartnerId(Uuid::from_u128(u128::from(who % 5 + partner / 2)));
                let client = &ClientId::parse(&who.to_string()).unwrap();
                let cost = Cost::of_rsa(if who % 2 == 0 { LONG } else { SHORT }, None);
                let pushed = queue.push(Asker { partner, client }, Work('x', wanted), cost, ms(now)).is_ok();
                accepted += usize::from(pushed);
                left += (before + usize::from(pushed)) - queue.waiting();
                if !wanted {
                    queue.callers_gone(1);
                }
            } else {
                let taken = queue.take(ms(now), &mut shed);
                prop_assert!(taken.is_some() || queue.waiting() == 0, "there was work");
                left += before - queue.waiting();
            }
            prop_assert_eq!(queue.waiting(), accepted - left);
            for (id, clients) in &queue.partners {
                let lines = queue.lines.values().filter(|line| line.partner == *id);
                prop_assert_eq!(clients.waiting, lines.clone().map(|line| line.jobs.len()).sum::<usize>());
                prop_assert_eq!(clients.turns.len(), lines.count());
            }
            prop_assert_eq!(queue.partners.len(), queue.all.turns.len());
            prop_assert!(queue.waiting() <= 16 && queue.lines.len() <= 32);
            prop_assert!(queue.partners.len() <= queue.lines.len());
            prop_assert!(queue.stood.len() <= 16 && queue.stood_partners.len() <= 16);
        }
        while queue.take(ms(now), &mut shed).is_some() {}
        prop_assert_eq!((queue.waiting(), queue.lines.len(), queue.partners.len()), (0, 0, 0));
    }
}
