//! This file is where a thousand tokens are ended one after the other, while guards follow and a second node hears of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_core::actor::Actor;
use gatepost_guard::{AfterThat, Guard};
use gatepost_operations::{background, clients, revocations};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::asking::{Ask, form_of};
use crate::cast::{C, S};
use crate::feed::{ANY_PORT, Wire, code};
use crate::guard_rows::clock::TestClock;
use crate::harness::{FAST, START, TestServer};
use crate::resource_server::{ResourceServer, token};

const BATCHES: usize = 50;
const IN_A_BATCH: usize = 20;
const SECOND: Duration = Duration::from_secs(1);

/// A token and when it was ended.
struct Ended {
    token: String,
    at: Instant,
}

/// Server, second node and guards over one state.
struct Scene {
    server: TestServer,
    other: TestServer,
    fast: ResourceServer,
    clock: TestClock,
    guard: Guard,
}

impl Scene {
    fn pass(&self, seconds: u32) {
        self.server.clock.advance(i64::from(seconds));
        self.clock.pass(seconds);
    }

    async fn new_token(&self) -> String {
        let issued = token(&self.server, (C, S), json!({ "resource": FAST })).await.text;
        assert_eq!(code(&self.guard, &issued).await, "accepted");
        issued
    }

    /// Ends tokens one after the other: given back, by ending all of the client's, by stopping the client.
    async fn end(&self, batch: usize, told: UnboundedSender<Ended>) {
        let (gate, system) = (&self.server.gate, &Actor::System);
        for number in 0..IN_A_BATCH {
            let issued = self.new_token().await;
            let at = Instant::now();
            match (batch + number) % 4 {
                0 | 1 => {
                    let form = form_of(&json!({ "token": issued }));
                    let reply = self.server.send(Ask::post("/oauth2/revoke").basic(C, S).form(&form)).await;
                    assert_eq!(reply.status, 200);
                }
                2 => {
                    revocations::end_tokens_of_client(gate, system, C).await.unwrap();
                    self.pass(1);
                }
                _ => {
                    clients::suspend(gate, system, C).await.unwrap();
                    clients::resume(gate, system, C).await.unwrap();
                    self.pass(2);
                }
            }
            assert!(!self.fast.accepts(&self.server, &issued).await, "refused here at once");
            told.send(Ended { token: issued, at }).unwrap();
        }
    }

    /// How long it took until the second node refused each of them.
    async fn heard_at_node(&self, mut told: UnboundedReceiver<Ended>) -> (Vec<Ended>, Vec<Duration>) {
        let (mut all, mut took) = (Vec::new(), Vec::new());
        while let Some(ended) = told.recv().await {
            while self.fast.passes(&self.other, &ended.token).await != 401 {
                assert!(ended.at.elapsed() < 20 * SECOND, "the second node has not heard of it");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            took.push(ended.at.elapsed());
            assert!(!self.fast.accepts(&self.other, &ended.token).await);
            all.push(ended);
        }
        (all, took)
    }

    /// The same for the guard that follows.
    async fn heard_at_guard(&self, ended: &[Ended]) -> Vec<Duration> {
        let mut took = Vec::new();
        for Ended { token, at } in ended {
            while code(&self.guard, token).await != "revoked" {
                assert!(at.elapsed() < 20 * SECOND, "{:?}", self.guard.feed_status());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            took.push(at.elapsed());
        }
        took
    }

    async fn accepts_none(&self, ended: &[Ended], guards: &[&Guard]) {
        for Ended { token, .. } in ended {
            for server in [&self.server, &self.other] {
                assert!(!self.fast.accepts(server, token).await);
            }
            for guard in guards {
                assert_eq!(code(guard, token).await, "revoked");
            }
        }
    }
}

#[tokio::test]
async fn of_a_thousand_ended_tokens_none_is_accepted_again_by_nodes_or_guards() {
    let server = TestServer::start().await;
    let fast = ResourceServer::of(&server.gate, "fast").await;
    let mut wire = Wire::of(&server, ANY_PORT);
    let clock = TestClock::at(START / 1_000_000);
    let guard = wire.guard(&fast, FAST, &clock, AfterThat::Refuse);
    let other = server.another_server_with(&[("cache.refresh", "100ms")]).await;
    let watch = background::watch::start(Arc::clone(&other.gate));
    let mut scene = Scene { server, other, fast, clock, guard };

    let (mut all, mut node, mut guards) = (Vec::new(), Vec::new(), Vec::new());
    for batch in 0..BATCHES {
        let (told, hears) = unbounded_channel();
        let ((), (ended, at_node)) = tokio::join!(scene.end(batch, told), scene.heard_at_node(hears));
        node.extend(at_node);
        guards.extend(scene.heard_at_guard(&ended).await);
        all.extend(ended);
        if batch == BATCHES / 2 {
            let address = wire.address;
            wire.served.close(Duration::ZERO).await;
            scene.server = scene.server.restarted().await;
            wire = Wire::of(&scene.server, address);
            let restarted = wire.guard(&scene.fast, FAST, &scene.clock, AfterThat::Refuse);
            scene.accepts_none(&all, &[&scene.guard, &restarted]).await;
            scene.guard = restarted;
        }
    }
    assert_eq!(all.len(), 1_000);
    scene.accepts_none(&all, &[&scene.guard]).await;
    watch.abort();

    node.sort();
    let p99 = node[node.len() * 99 / 100];
    assert!(p99 <= SECOND, "at the second node p99 is {p99:?}");
    let longest = guards.into_iter().max().unwrap();
    assert!(longest <= 5 * SECOND, "the longest at the guard is {longest:?}");
}
