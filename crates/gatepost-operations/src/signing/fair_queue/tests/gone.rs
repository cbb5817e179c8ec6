//! This file is where work whose caller has gone is held to taking nobody's place.

use super::*;

/// Asks for each letter's client, a small letter's of one partner and a capital's of another; the refusals.
fn push(queue: &mut FairQueue<Work>, names: &str, wanted: bool, now: u64) -> Vec<Shed> {
    let mut push = |name: char| {
        let partner = PartnerId(Uuid::from_u128(name.is_ascii_uppercase().into()));
        let (client, job) = (client(name), Work(name, wanted));
        let pushed = queue.push(Asker { partner, client: &client }, job, Cost::of_rsa(LONG, None), ms(now));
        if !wanted {
            queue.callers_gone(1);
        }
        pushed
    };
    names.chars().filter_map(|name| push(name).err().map(|(_, why)| why)).collect()
}

fn nothing_stands(queue: &FairQueue<Work>, now: u64) -> bool {
    let crowds = queue.partners.values().map(|clients| clients.crowd.0);
    let mut all = crowds.chain(queue.lines.values().map(|line| line.standing)).chain([queue.all.crowd.0]);
    all.all(|standing| !standing.stands(ms(now)))
}

#[test]
fn what_nobody_wants_any_more_leaves_before_somebody_is_refused() {
    for (all, per_client, live, dead, comes, why) in [
        (64, 4, "a", "aaa", "aaa", "a line full of it, behind one that is wanted"),
        (8, 64, "a", "bcd", "eab", "a partner full of it"),
        (6, 64, "a", "abAB", "bBC", "two partners that have most of it together"),
    ] {
        let mut queue = queue(all, per_client);
        assert_eq!(push(&mut queue, live, true, 1_000), [], "{why}");
        push(&mut queue, dead, false, 1_000);
        assert_eq!(push(&mut queue, comes, true, 1_010), [], "{why}");
        assert!(nothing_stands(&queue, 1_010), "{why}");
        assert_eq!(queue.waiting(), live.len() + comes.len(), "{why}");
        let (taken, shed) = take(&mut queue, 9, 1_200);
        assert_eq!((taken.len(), shed), (live.len() + comes.len(), 0), "{why}");
    }
}

#[test]
fn a_look_is_taken_for_no_fewer_than_pay_for_it() {
    for (live, dead, refused) in [(48, 16, vec![]), (240, 16, vec![Shed::Client]), (239, 17, vec![])] {
        let mut queue = queue(1_024, live + dead);
        push(&mut queue, &"a".repeat(live), true, 1_000);
        // Behind the others, so that only a look over the line finds it.
        push(&mut queue, &"a".repeat(dead), false, 1_000);
        assert_eq!(push(&mut queue, "a", true, 1_001), refused, "{dead} of {} have gone", live + dead);
    }
}

#[test]
fn a_newcomer_finds_a_place_where_all_are_full_of_what_nobody_wants() {
    let mut queue = queue(4, 4);
    super::push(&mut queue, "a", LONG, 1_000);
    for name in "bcd".chars() {
        queue.push(alone(&client(name)), Work(name, false), Cost::of_rsa(LONG, None), ms(1_000)).unwrap();
    }
    assert_eq!(super::push(&mut queue, "e", LONG, 1_001), [Shed::Queue], "nobody told that they have gone");
    queue.callers_gone(1);
    assert_eq!((super::push(&mut queue, "e", LONG, 1_002), queue.waiting()), (vec![], 2));
}

#[test]
fn after_the_look_only_what_is_wanted_overflows_a_line() {
    let mut queue = queue(64, 4);
    push(&mut queue, "aaa", true, 1_000);
    push(&mut queue, "a", false, 1_000);
    assert_eq!(push(&mut queue, "aa", true, 1_001), [Shed::Client]);
    assert!(!nothing_stands(&queue, 1_001));
}

#[test]
fn that_nobody_waited_past_the_deadline_is_no_lateness() {
    let mut queue = queue(64, 4);
    push(&mut queue, "a", false, 0);
    push(&mut queue, "aa", true, 2_900);
    assert_eq!(take(&mut queue, 1, 3_000), ("a".into(), 0), "the oldest, and nothing is shed");
    assert!(nothing_stands(&queue, 3_000));
}

#[test]
fn callers_that_come_and_go_fill_no_crowd_and_are_not_remembered_for_ever() {
    let mut queue = queue(1_024, 256);
    let asked = (0..5_000).filter(|number| {
        let id = ClientId::parse(&format!("client-{number}")).unwrap();
        let pushed = queue.push(alone(&id), Work('x', false), Cost::of_rsa(LONG, None), ms(1_000));
        queue.callers_gone(1);
        pushed.is_ok()
    });
    assert_eq!(asked.count(), 5_000);
    assert!(queue.lines.len() <= 2_048 && queue.partners.len() <= 2_048, "{} lines", queue.lines.len());
    assert_eq!(queue.all.turns.len(), queue.partners.len());
    assert!(nothing_stands(&queue, 1_000));
}
