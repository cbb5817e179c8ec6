//! This file is where tokens are held to quotas of the day and the month, over restarts, crashes and several nodes.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use gatepost_core::clients::ClientId;
use gatepost_core::limits::{Day, Month};
use gatepost_core::time::Timestamp;
use gatepost_core::usage::{ClientUsage, Hour};
use gatepost_operations::background::flush;
use gatepost_operations::limits::SetLimits;
use gatepost_operations::{news, usage};

use super::{right, set, statuses, told};
use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, and, credentials};
use crate::cast::{C, INTEGER, S};
use crate::harness::{START, TestServer};

fn quota(per_day: Option<u64>, per_month: Option<u64>) -> SetLimits {
    SetLimits { per_day, per_month, ..SetLimits::default() }
}

async fn with_daily(quota_of_day: u64) -> TestServer {
    let server = TestServer::start().await;
    set(&server, C, quota(Some(quota_of_day), None)).await;
    server
}

#[tokio::test]
async fn a_quota_is_granted_to_the_last_token_and_begins_anew_at_midnight() {
    let server = with_daily(3).await;
    let midnight = Day::of(Timestamp::from_micros(START)).ends();
    server.clock.stop_at(midnight.micros() - 90_000_000);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 5).await, [(200, 3), (429, 2)]);

    let reply = server.send(right(STANDARD_DOOR, C)).await;
    assert_eq!(reply.outcome(), (429, "slow_down".to_owned()));
    assert_eq!(reply.header("retry-after"), Some("90"));
    assert_eq!(reply.header("ratelimit-policy"), Some(r#""day";q=3;w=86400"#));
    assert_eq!(server.send(right(ORIGIN, INTEGER)).await.status, 200, "another client has its own");

    server.clock.stop_at(midnight.micros() - 1);
    assert_eq!(server.send(right(ORIGIN, C)).await.status, 429);
    server.clock.stop_at(midnight.micros());
    assert_eq!(statuses(&server, &right(ORIGIN, C), 4).await, [(200, 3), (429, 1)]);
}

#[tokio::test]
async fn of_several_limits_that_are_used_up_the_longest_is_told() {
    let midnight = Day::of(Timestamp::from_micros(START)).ends();
    for (tokens, per_day, before, waits, why) in [
        ("2/h", 1, 90_000_000, ["1800", "1800", "1800"], "the rate holds longer than the day"),
        ("2/min", 1, 90_000_000, ["90", "90", "90"], "the day holds longer, also once the rate is used up"),
        ("2/min", 9, 90_000_000, ["", "30", "30"], "the day is not used up"),
    ] {
        let server = TestServer::start().await;
        let limits = SetLimits { tokens: Some(tokens.to_owned()), ..quota(Some(per_day), None) };
        set(&server, C, limits).await;
        server.clock.stop_at(midnight.micros() - before);
        assert_eq!(server.send(right(ORIGIN, C)).await.status, 200, "{why}");
        for wait in waits {
            let reply = server.send(right(STANDARD_DOOR, C)).await;
            assert_eq!(reply.header("retry-after").unwrap_or_default(), wait, "{why}");
        }
    }
}

#[tokio::test]
async fn a_quota_of_the_month_holds_over_days_and_ends_with_the_month() {
    let server = TestServer::start().await;
    set(&server, C, quota(Some(2), Some(3))).await;
    let month = Month::of(Timestamp::from_micros(START));
    server.clock.stop_at(month.ends().micros() - 2 * 86_400_000_000);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
    usage::flush(&server.gate).await.unwrap();
    server.clock.advance(86_400);
    news::take_up(&server.gate).await.unwrap();
    let first = server.send(right(STANDARD_DOOR, C)).await;
    assert_eq!(first.header("ratelimit"), Some(r#""day";r=1;t=86400, "month";r=0;t=86400"#));
    let reply = server.send(right(STANDARD_DOOR, C)).await;
    assert_eq!((reply.status, reply.header("ratelimit-policy")), (429, Some(r#""month";q=3;w=2678400"#)));
    server.clock.advance(86_400);
    news::take_up(&server.gate).await.unwrap();
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn a_restart_keeps_what_was_used() {
    let server = with_daily(5).await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 3)]);
    usage::flush(&server.gate).await.unwrap();
    let server = server.restarted().await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn a_crash_grants_again_what_was_not_written_and_no_more() {
    let server = with_daily(5).await;
    statuses(&server, &right(ORIGIN, C), 2).await;
    usage::flush(&server.gate).await.unwrap();
    statuses(&server, &right(ORIGIN, C), 2).await;
    // The second two are in no store when this node is gone.
    let server = server.restarted().await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 6).await, [(200, 3), (429, 3)]);
}

#[tokio::test]
async fn what_another_node_granted_counts_here_once_it_was_written_and_looked_up() {
    let server = with_daily(6).await;
    let other = server.another_server().await;
    assert_eq!(statuses(&other, &right(ORIGIN, C), 1).await, [(200, 1)]);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 3)]);

    flush::once(&server.gate).await.unwrap();
    flush::once(&other.gate).await.unwrap();
    flush::once(&server.gate).await.unwrap();
    assert_eq!(statuses(&other, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
    // Until it looks again the first one does not know of these two.
    flush::once(&other.gate).await.unwrap();
    assert_eq!(server.send(right(ORIGIN, C)).await.status, 200);
    flush::once(&server.gate).await.unwrap();
    assert_eq!(server.send(right(ORIGIN, C)).await.status, 429);
}

#[tokio::test]
async fn a_node_that_was_idle_looks_beside_its_next_request() {
    let server = with_daily(4).await;
    let other = server.another_server().await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 1).await, [(200, 1)]);
    assert_eq!(statuses(&other, &right(ORIGIN, C), 2).await, [(200, 2)]);
    flush::once(&server.gate).await.unwrap();
    flush::once(&other.gate).await.unwrap();
    server.clock.advance(60);
    // What it knew goes for the first; the task that it wakes does what is done by hand here.
    assert_eq!(statuses(&server, &right(ORIGIN, C), 1).await, [(200, 1)]);
    flush::once(&server.gate).await.unwrap();
    assert_eq!(server.send(right(ORIGIN, C)).await.status, 429);
}

#[tokio::test]
async fn the_task_beside_the_requests_is_woken_by_a_client_that_was_idle() {
    let server = with_daily(1_000).await;
    let other = server.another_server().await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 1).await, [(200, 1)]);
    assert_eq!(statuses(&other, &right(ORIGIN, C), 5).await, [(200, 5)]);
    flush::once(&server.gate).await.unwrap();
    flush::once(&other.gate).await.unwrap();
    server.clock.advance(60);

    let task = flush::start(Arc::clone(&server.gate));
    within_a_while(async || left(&server).await.is_some_and(|left| left < 994)).await;
    task.abort();
}

#[tokio::test]
async fn what_the_store_holds_before_its_writer_hears_so_is_not_counted_twice() {
    let server = with_daily(3).await;
    assert_eq!(statuses(&server, &right(ORIGIN, C), 1).await, [(200, 1)]);
    // The first half of a flush: it is written, and the node does not know yet.
    let hour = Hour::of(server.gate.clock.now());
    let written = ClientUsage { client: ClientId::parse(C).unwrap(), hour, issued: 1, refused: 0 };
    server.gate.store().add_usage(&[written], &[]).await.unwrap();
    server.clock.advance(60);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn nobody_looks_between_a_write_and_its_being_known() {
    let server = with_daily(1_000).await;
    for (tokens, steps) in (1..=16).enumerate() {
        assert_eq!(left(&server).await, Some(999 - u64::try_from(tokens).unwrap()), "after {steps} steps");
        let mut writing = pin!(usage::flush(&server.gate));
        // Every place where a write can be held up, one after the other.
        let mut is_written = false;
        for _ in 0..steps {
            is_written = is_written || writing.as_mut().now_or_never().is_some();
            server.gate.store().ping().await.unwrap();
        }
        let mut looking = pin!(flush::once(&server.gate));
        let mut has_looked = false;
        for _ in 0..16 {
            has_looked = has_looked || looking.as_mut().now_or_never().is_some();
            server.gate.store().ping().await.unwrap();
        }
        if !is_written {
            writing.await.unwrap();
        }
        if !has_looked {
            looking.await.unwrap();
        }
    }
}

/// How many of its day the client has left after one more token.
async fn left(server: &TestServer) -> Option<u64> {
    let told = server.send(right(STANDARD_DOOR, C)).await.header("ratelimit")?.to_owned();
    told.split("r=").nth(1)?.split(';').next()?.parse().ok()
}

/// Waits for the condition with a deadline.
async fn within_a_while(mut condition: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap();
}

#[tokio::test]
async fn what_comes_to_nothing_is_not_counted() {
    let server = with_daily(2).await;
    let nonsense = Ask::post(ORIGIN).json(&and(credentials(C, S), serde_json::json!({ "scope": "nope" })));
    assert_eq!(statuses(&server, &nonsense, 5).await, [(400, 5)]);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn of_many_at_the_same_moment_exactly_the_quota_is_served_and_who_is_shed_takes_nothing() {
    let server = TestServer::with(&[("signing.threads", "1"), ("signing.queue", "2")]).await;
    set(&server, C, quota(Some(20), None)).await;
    let mut served = 0;
    for _ in 0..40 {
        let asks = (0..10).map(|_| server.send(right(ORIGIN, C)));
        let replies = futures_util::future::join_all(asks).await;
        served += replies.iter().filter(|reply| reply.status == 200).count();
        if replies.iter().all(|reply| reply.status == 429) {
            break;
        }
    }
    assert_eq!(served, 20);
}

#[tokio::test]
async fn a_quota_that_is_not_known_is_not_guessed_and_one_that_is_goes_on_without_the_store() {
    let server = with_daily(3).await;
    set(&server, INTEGER, quota(Some(3), None)).await;
    assert_eq!(server.send(right(ORIGIN, C)).await.status, 200);
    server.gate.clients().record(&ClientId::parse(INTEGER).unwrap()).await.unwrap();
    server.gate.close().await;

    let reply = server.send(right(ORIGIN, INTEGER)).await;
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    server.clock.advance(60);
    assert_eq!(statuses(&server, &right(ORIGIN, C), 3).await, [(200, 2), (429, 1)]);
}

#[tokio::test]
async fn the_origin_door_tells_of_the_limit_that_is_nearest_to_its_end() {
    let server = TestServer::start().await;
    let tokens = Some("100/min".to_owned());
    set(&server, C, SetLimits { tokens, ..quota(Some(10), Some(1_000)) }).await;
    let reply = server.send(right(ORIGIN, C)).await;
    let laravel: Vec<_> = told(&reply).into_iter().filter(|(name, _)| name.starts_with("x-")).collect();
    let told = [("x-ratelimit-limit", "10".to_owned()), ("x-ratelimit-remaining", "9".to_owned())];
    assert_eq!(laravel, told);
}
