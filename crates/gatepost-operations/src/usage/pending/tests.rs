//! This file is where it is tried how counts come together in memory, are taken in parts, and are put back.

use super::super::ranges::RANGES;
use super::*;

fn taken(usage: &Usage) -> Batch {
    let mut batch = Batch::default();
    (0..RANGES).for_each(|range| usage.take(range, &mut batch));
    batch
}

fn counts(batch: &Batch) -> Vec<(&str, i64, u64, u64)> {
    let count = |of: &ClientUsage| (of.hour.0, of.issued, of.refused);
    let mut counts: Vec<_> = batch.clients.iter().map(|of| (of.client.as_str(), count(of))).collect();
    counts.sort_unstable();
    counts.into_iter().map(|(client, (hour, issued, refused))| (client, hour, issued, refused)).collect()
}

#[test]
fn uses_of_a_client_in_an_hour_come_together_in_one_count() {
    let usage = Usage::default();
    let client = ClientId::parse("c").unwrap();
    let secret = SecretId(uuid::Uuid::nil());
    for second in [1, 3_599, 3_600] {
        let at = Timestamp::from_micros(second * 1_000_000);
        usage.issued(&client, Some(secret), Some([10, 0, 0, 1].into()), at);
    }
    usage.refused(&client, Timestamp::from_micros(0));

    let batch = taken(&usage);
    assert_eq!(counts(&batch), [("c", 0, 2, 1), ("c", 1, 1, 0)]);
    let at = Timestamp::from_micros(3_600_000_000);
    let address = Some([10, 0, 0, 1].into());
    assert_eq!(batch.secrets, [SecretUsage { secret, at, address, count: 3 }]);
    assert_eq!(taken(&usage).len(), 0);
}

#[test]
fn what_is_taken_is_in_order_and_nothing_is_left_out() {
    let usage = Usage::default();
    let at = Timestamp::from_micros(0);
    let secret = |number: u128| SecretId(uuid::Uuid::from_u128(number.wrapping_mul(0x9e37 << 112)));
    for number in 0..1_000 {
        let client = ClientId::from_uuid(secret(number).0);
        usage.issued(&client, Some(secret(number + 1)), None, at);
    }
    let mut batch = taken(&usage);

    assert_eq!((batch.clients.len(), batch.secrets.len()), (1_000, 1_000));
    assert!(batch.clients.is_sorted_by(|one, next| one.client < next.client));
    assert!(batch.secrets.is_sorted_by(|one, next| one.secret < next.secret));
    let last = batch.clients.last().cloned();
    assert_eq!((batch.first(600).0.len(), batch.first(600).1.len()), (600, 600));
    batch.skip(600);
    assert_eq!((batch.first(600).0.len(), batch.first(600).0.last().cloned()), (400, last));
}

#[test]
fn half_of_the_room_is_much_and_beyond_all_of_it_only_the_sum_is_known() {
    let usage = Usage::of_most(1_000);
    let count = |number: usize| {
        let client = ClientId::from_uuid(uuid::Uuid::from_u128(number as u128));
        usage.refused(&client, Timestamp::from_micros(0));
    };
    (1..500).for_each(count);
    assert!(!usage.is_much());
    count(0);
    assert!(usage.is_much());
    (500..1_003).for_each(count);
    count(0);
    assert_eq!((usage.take_rest().1, taken(&usage).clients.len()), (3, 1_000));
}

#[test]
fn what_could_not_be_written_is_added_to_what_came_meanwhile() {
    let usage = Usage::default();
    let (client, secret) = (ClientId::parse("c").unwrap(), SecretId(uuid::Uuid::nil()));
    let issued = |second| usage.issued(&client, Some(secret), None, Timestamp::from_micros(second));
    issued(1);
    let unwritten = taken(&usage);
    issued(2);
    usage.put_back(unwritten);

    let batch = taken(&usage);
    assert_eq!(counts(&batch), [("c", 0, 2, 0)]);
    assert_eq!((batch.secrets[0].count, batch.secrets[0].at), (2, Timestamp::from_micros(2)));

    let asked = |at| usage.asked(secret, None, Timestamp::from_micros(at));
    asked(5);
    let unwritten = usage.take_of_apis();
    asked(6);
    usage.put_back_of_apis(&unwritten);
    let of_apis = usage.take_of_apis();
    assert_eq!((of_apis[0].count, of_apis[0].at), (2, Timestamp::from_micros(6)));
}
