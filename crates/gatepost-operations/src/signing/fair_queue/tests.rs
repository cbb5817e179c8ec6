//! This file is where the queue is held to its turns and bounds, by tables and by chance.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

mod gone;
mod partners;

const LONG: usize = 512;
const SHORT: usize = 256;

/// Whose work it is, and whether it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work(char, bool);

impl Wanted for Work {
    fn is_wanted(&self) -> bool {
        self.1
    }
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn queue(all: usize, per_client: usize) -> FairQueue<Work> {
    let patience = Patience { target: 4, deadline: ms(2_000), growth: 52 };
    let mut queue = FairQueue::new(Places { all, per_client }, patience);
    queue.signed(ms(6));
    queue
}

fn client(name: char) -> ClientId {
    ClientId::parse(&name.to_string()).unwrap()
}

/// Asks for a client that is alone in its partner.
fn alone(client: &ClientId) -> Asker<'_> {
    let number = client.as_str().bytes().fold(0, |number, byte| number << 8 | u128::from(byte));
    Asker { partner: PartnerId(Uuid::from_u128(number)), client }
}

/// Asks for a signature for each letter's client; the reasons why some may not wait.
fn push(queue: &mut FairQueue<Work>, names: &str, bytes: usize, now: u64) -> Vec<Shed> {
    let mut push =
        |name| queue.push(alone(&client(name)), Work(name, true), Cost::of_rsa(bytes, None), ms(now));
    names.chars().filter_map(|name| push(name).err().map(|(_, why)| why)).collect()
}

/// Takes that much at `now`: whose it was, and how many were shed.
fn take(queue: &mut FairQueue<Work>, count: usize, now: u64) -> (String, usize) {
    let mut shed = Vec::new();
    let taken = (0..count).filter_map(|_| queue.take(ms(now), &mut shed)).map(|taken| taken.job.0).collect();
    (taken, shed.len())
}

#[test]
fn clients_take_turns_whatever_they_ask_for() {
    let mut queue = queue(64, 64);
    push(&mut queue, "aaaabbc", LONG, 0);
    assert_eq!(take(&mut queue, 9, 1).0, "abcabaa");
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn a_turn_is_worth_eight_short_signatures_or_one_long() {
    let mut queue = queue(128, 64);
    push(&mut queue, &"s".repeat(20), SHORT, 0);
    push(&mut queue, "lll", LONG, 0);
    assert_eq!(take(&mut queue, 23, 1).0, "sssssssslsssssssslssssl");
}

#[test]
fn a_newcomer_goes_first_and_is_one_again_only_after_the_others_had_a_turn() {
    let mut queue = queue(64, 64);
    push(&mut queue, "aaaaaa", LONG, 0);
    assert_eq!(take(&mut queue, 1, 1).0, "a");
    push(&mut queue, "b", LONG, 2);
    assert_eq!(take(&mut queue, 1, 2).0, "b", "a newcomer");
    push(&mut queue, "b", LONG, 3);
    assert_eq!(take(&mut queue, 2, 3).0, "ab", "asking one by one is no way always to go first");
}

#[test]
fn newcomers_in_a_row_let_others_have_a_turn() {
    let mut queue = queue(64, 64);
    push(&mut queue, "aaa", LONG, 0);
    take(&mut queue, 1, 1);
    push(&mut queue, "bcdefghijklm", LONG, 2);
    assert_eq!(take(&mut queue, 12, 3).0, "bcdefghaijkl");
}

#[test]
fn a_place_is_refused_to_one_client_and_to_all_by_their_bounds() {
    for (all, per_client, names, refused, why) in [
        (64, 3, "aaaab", vec![Shed::Client], "one client has three places"),
        (8, 64, "aaaaaab", vec![Shed::Client; 2], "of one client no more wait than places are free"),
        (3, 64, "abcd", vec![Shed::Queue], "three places for all"),
    ] {
        assert_eq!(push(&mut queue(all, per_client), names, LONG, 0), refused, "{why}");
    }
}

#[test]
fn work_that_nobody_wants_any_more_is_skipped_and_gives_its_place_up() {
    let mut queue = queue(64, 2);
    for wanted in [false, true] {
        queue.push(alone(&client('a')), Work('a', wanted), Cost::of_rsa(LONG, None), ms(0)).unwrap();
    }
    queue.callers_gone(1);
    assert_eq!(push(&mut queue, "a", LONG, 1), [], "the first made room");
    queue.push(alone(&client('b')), Work('b', false), Cost::of_rsa(LONG, None), ms(1)).unwrap();

    assert_eq!(take(&mut queue, 3, 3_000), (String::new(), 2), "what nobody wants is not shed either");
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn a_line_full_of_those_who_are_gone_refuses_nobody_and_does_not_stand() {
    let mut queue = queue(64, 4);
    for wanted in [true, false, false, false] {
        queue.push(alone(&client('a')), Work('a', wanted), Cost::of_rsa(LONG, None), ms(0)).unwrap();
    }
    queue.callers_gone(1);
    assert_eq!(push(&mut queue, "aaa", LONG, 1), [], "three made room behind one who waits");
    assert_eq!(queue.waiting(), 4);
    assert_eq!(take(&mut queue, 4, 500), ("aaaa".into(), 0), "none is given up for them");

    push(&mut queue, "aaaa", LONG, 501);
    assert_eq!(push(&mut queue, "a", LONG, 502), [Shed::Client], "those who wait are no room");
}

#[test]
fn what_nobody_wants_is_not_served_from_the_end_of_a_line_either() {
    let mut queue = queue(64, 4);
    push(&mut queue, "aaaaa", LONG, 1_000);
    take(&mut queue, 2, 1_001);
    queue.push(alone(&client('a')), Work('a', false), Cost::of_rsa(LONG, None), ms(1_010)).unwrap();

    let taken = queue.take(ms(1_010), &mut Vec::new()).unwrap();

    assert_eq!((taken.job, taken.waited), (Work('a', true), ms(10)), "the newest that somebody waits for");
    assert_eq!(queue.waiting(), 1);
}

#[test]
fn what_nobody_wants_is_not_served_from_the_end_of_a_crowd_either() {
    let mut queue = queue(3, 3);
    push(&mut queue, "abcd", LONG, 1_000);
    take(&mut queue, 1, 1_001);
    queue.push(alone(&client('e')), Work('e', false), Cost::of_rsa(LONG, None), ms(1_002)).unwrap();

    assert_eq!(take(&mut queue, 3, 1_002), ("ba".into(), 0), "from the end of the newcomers");
    assert_eq!((queue.waiting(), queue.lines.len()), (0, 0));
}

#[test]
fn of_a_long_line_only_its_beginning_belongs_to_the_crowd() {
    let mut queue = queue(1_024, 256);
    rounds(&mut queue, "abcdefghijklmnopqrst", 0..100);
    push(&mut queue, &"z".repeat(200), LONG, 100);
    let grown = queue.all.crowd.0.growth();
    let moment = queue.patience.at(ms(100), Some(ms(6)));

    queue.all.crowd.left(10, 190, &moment);

    let left = grown - queue.all.crowd.0.growth();
    assert!((41..46).contains(&left), "{left}: fifty-two were of the crowd, and ten still are");
}

#[test]
fn a_line_that_stands_is_shed_and_served_from_its_end() {
    let mut queue = queue(64, 4);
    push(&mut queue, "aaaa", LONG, 1_000);
    assert_eq!(take(&mut queue, 1, 1_100), ("a".into(), 0), "it may be a burst");
    push(&mut queue, "a", LONG, 1_140);
    assert_eq!(push(&mut queue, "a", LONG, 1_140), [Shed::Client]);

    let mut shed = Vec::new();
    let taken = queue.take(ms(1_150), &mut shed).unwrap();
    assert_eq!((taken.waited, shed.len()), (ms(10), 3), "the newest is served");
    assert!(shed.iter().all(|(_, why)| *why == Shed::Stale));
}

#[test]
fn that_a_line_stands_is_remembered_while_it_is_empty_for_a_moment() {
    let mut queue = queue(64, 4);
    push(&mut queue, "aaaaa", LONG, 1_000);
    assert_eq!(take(&mut queue, 9, 1_150), (String::new(), 4));
    push(&mut queue, "aa", LONG, 1_200);
    assert_eq!(take(&mut queue, 9, 1_225), (String::new(), 2));
    assert_eq!(queue.lines.len() + queue.all.turns.len(), 0, "the line itself is forgotten");
}

/// In each round, a millisecond, two of the clients ask, one pair after the other, and one client is served.
fn rounds(queue: &mut FairQueue<Work>, names: &str, rounds: std::ops::Range<u64>) {
    let mut names = names.chars().cycle();
    for now in rounds {
        let asking: String = names.by_ref().take(2).collect();
        push(queue, &asking, LONG, now);
        take(queue, 1, now);
    }
}

#[test]
fn a_line_that_rises_is_served_from_its_end_and_nothing_is_shed() {
    let mut queue = queue(1_024, 256);
    rounds(&mut queue, "a", 0..60);
    let mut shed = Vec::new();
    assert_eq!(queue.take(ms(60), &mut shed).unwrap().waited, ms(30), "it is not known yet");
    rounds(&mut queue, "a", 60..100);
    assert_eq!((queue.take(ms(100), &mut shed).unwrap().waited, shed.len()), (ms(1), 0));
}

#[test]
fn a_client_that_asks_too_much_alone_is_no_crowd() {
    let mut queue = queue(1_024, 256);
    rounds(&mut queue, "a", 0..300);
    assert!(queue.lines[&client('a')].standing.stands(ms(300)) && !queue.all.crowd.0.stands(ms(300)));
}

#[test]
fn a_crowd_stands_when_all_together_ask_too_much() {
    let mut queue = queue(1_024, 256);
    rounds(&mut queue, "abcdefghijklmnopqrst", 0..240);
    assert!(!queue.all.crowd.0.stands(ms(240)));
    rounds(&mut queue, "abcdefghijklmnopqrst", 240..300);
    assert!(queue.all.crowd.0.stands(ms(300)));
    assert!(queue.waiting() < 100, "all that waited longer than the target was shed");
}

#[test]
fn what_is_ahead_is_told_in_the_time_of_the_threads() {
    let mut queue = queue(64, 64);
    push(&mut queue, "aaabbb", LONG, 0);
    assert_eq!((queue.ahead(2), queue.ahead(0)), (ms(18), ms(36)));
}

proptest! {
    #[test]
    fn nothing_is_lost_and_no_bound_is_passed(
        steps in proptest::collection::vec((0_u8..40, any::<bool>(), 0_u64..40), 1..400),
    ) {
        let mut queue = queue(16, 4);
        let (mut now, mut accepted, mut left, mut shed) = (0, 0, 0, Vec::new());
        for (who, wanted, passed) in steps {
            now += passed;
            if who < 30 {
                let work = Work('x', wanted);
                let id = ClientId::parse(&who.to_string()).unwrap();
                let before = queue.waiting();
                let pushed = queue.push(alone(&id), work, Cost::of_rsa(LONG, None), ms(now)).is_ok();
                accepted += usize::from(pushed);
                // Unwanted work may have made room.
                left += (before + usize::from(pushed)) - queue.waiting();
                if !wanted {
                    queue.callers_gone(1);
                }
            } else {
                let before = queue.waiting();
                let taken = queue.take(ms(now), &mut shed);
                prop_assert!(taken.is_none_or(|taken| taken.job.1), "nobody waits for it");
                left += before - queue.waiting();
            }
            let lines = queue.lines.values().map(|line| line.jobs.len());
            prop_assert_eq!(queue.waiting(), accepted - left);
            prop_assert_eq!(queue.waiting(), lines.clone().sum::<usize>());
            prop_assert!(queue.waiting() <= 16 && lines.max().unwrap_or(0) <= 4);
            let turns = queue.partners.values().map(|clients| clients.turns.len());
            prop_assert_eq!(queue.lines.len(), turns.sum::<usize>());
            prop_assert_eq!(queue.partners.len(), queue.all.turns.len());
            prop_assert!(queue.lines.len() <= 32 && queue.stood.len() <= 16);
        }
        while queue.take(ms(now), &mut shed).is_some() {}
        prop_assert_eq!((queue.waiting(), queue.lines.len()), (0, 0), "what is asked for is signed or shed");
    }
}
