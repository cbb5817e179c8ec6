//! This folder is where it is shown who is held back, what they are told, and who never is.

mod addresses;
mod failures;
mod quotas;
mod rates;
mod replay;

use gatepost_core::actor::Actor;
use gatepost_operations::limits::{self, SetLimits};

use crate::asking::{Ask, ORIGIN, STANDARD_DOOR, credentials, form_of};
use crate::cast::S;
use crate::harness::TestServer;
use crate::reply::Reply;

/// The headers that tell of limits.
const TOLD: [&str; 5] =
    ["ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/// A request with those credentials from that address.
fn ask(door: &str, id: &str, secret: &str, address: &str) -> Ask {
    Ask { peer: address.parse().unwrap(), ..Ask::post(door).form(&form_of(&credentials(id, secret))) }
}

/// A request of a client with its right secret.
fn right(door: &str, id: &str) -> Ask {
    ask(door, id, S, "203.0.113.9")
}

/// What came of asking so often: each status with how often it came in a row.
async fn statuses(server: &TestServer, ask: &Ask, times: usize) -> Vec<(u16, usize)> {
    let mut runs: Vec<(u16, usize)> = Vec::new();
    for _ in 0..times {
        let status = server.send(ask.clone()).await.status;
        match runs.last_mut() {
            Some((known, count)) if *known == status => *count += 1,
            Some(_) | None => runs.push((status, 1)),
        }
    }
    runs
}

/// The headers that tell of limits, by their names.
fn told(reply: &Reply) -> Vec<(&'static str, String)> {
    TOLD.iter().filter_map(|name| Some((*name, reply.header(name)?.to_owned()))).collect()
}

pub(crate) async fn set(server: &TestServer, client: &str, new: SetLimits) {
    limits::set(&server.gate, &Actor::System, client, new).await.unwrap();
}

#[tokio::test]
async fn without_limits_no_answer_tells_of_any() {
    let server = TestServer::start().await;
    for door in [ORIGIN, STANDARD_DOOR] {
        let granted = server.send(right(door, crate::cast::C)).await;
        let refused = server.send(ask(door, crate::cast::C, "nope", "203.0.113.9")).await;
        assert_eq!((granted.status, told(&granted)), (200, vec![]));
        assert_eq!((refused.status, told(&refused)), (401, vec![]));
    }
}
