//! This file is where a client's secrets are rolled while it asks for tokens at two nodes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_core::actor::Actor;
use gatepost_operations::secrets::{self, Ending, Rolling};
use gatepost_operations::{clients, news};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::asking::{Ask, STANDARD_DOOR, credentials};
use crate::cast::PARTNER;
use crate::harness::TestServer;
use crate::reply::Reply;

const ROLLS: usize = 100;
const CALLERS: usize = 4;
const OVERLAP: Duration = Duration::from_secs(3_600);
/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client's programs hold while its secrets are rolled.
struct Scene {
    nodes: [TestServer; 2],
    client: String,
    held: Mutex<Held>,
    answers: Semaphore,
    over: AtomicBool,
}

/// The secrets that must be good now: programs that were told of the roll use the first, others still the second.
#[derive(Clone)]
struct Held {
    current: Secret,
    previous: Option<Secret>,
}

#[derive(Clone)]
struct Secret {
    id: Uuid,
    text: Arc<str>,
}

impl Scene {
    async fn start() -> Arc<Self> {
        // Ended secrets are tried often enough here to look like guessing.
        let off = [("limits.failed_per_client", "0"), ("limits.failed_per_address", "0")];
        let server = TestServer::with(&off).await;
        let request = clients::CreateClient {
            partner: PARTNER.to_owned(),
            name: "rolled".to_owned(),
            settings: clients::ClientSettings {
                apis: Some(vec!["fast".to_owned()]),
                scopes: Some(vec!["fast:go".to_owned()]),
                ..clients::ClientSettings::default()
            },
            ..clients::CreateClient::default()
        };
        let made = clients::create(&server.gate, &Actor::System, request).await.unwrap();
        let client = made.client.client_id;
        let id = secrets::list(&server.gate, &client).await.unwrap()[0].secret_id;
        let current = Secret { id, text: made.secret.unwrap().expose().into() };
        let nodes = [server.another_server().await, server];
        let held = Mutex::new(Held { current, previous: None });
        Arc::new(Self { nodes, client, held, answers: Semaphore::new(0), over: AtomicBool::new(false) })
    }

    fn held(&self) -> Held {
        self.held.lock().unwrap().clone()
    }

    async fn ask(&self, node: usize, secret: &Secret) -> Reply {
        self.nodes[node].send(Ask::post(STANDARD_DOOR).json(&credentials(&self.client, &secret.text))).await
    }

    /// One program after the other asks with what it holds; only what is withdrawn meanwhile may be refused.
    async fn keep_asking(&self, seed: usize) {
        let mut node = seed;
        while !self.over.load(Ordering::SeqCst) {
            let held = self.held();
            for secret in [Some(held.current), held.previous].into_iter().flatten() {
                node += 1;
                let status = self.ask(node % 2, &secret).await.status;
                assert!(status == 200 || !self.holds(&secret), "{status} for a secret that is good");
            }
            self.answers.add_permits(1);
            // Nothing here waits for anything, and the runtime has other work.
            tokio::task::yield_now().await;
        }
    }

    fn holds(&self, secret: &Secret) -> bool {
        let held = self.held();
        held.current.id == secret.id || held.previous.is_some_and(|previous| previous.id == secret.id)
    }

    /// Each caller has one round under way at most, so half of these began after what was done last.
    async fn answered(&self) {
        let rounds = self.answers.acquire_many(u32::try_from(2 * CALLERS).unwrap());
        tokio::time::timeout(PATIENCE, rounds).await.unwrap().unwrap().forget();
    }

    /// The other node hears of it, as it does within a second.
    async fn told(&self) {
        news::take_up(&self.nodes[1].gate).await.unwrap();
    }

    async fn roll(&self) {
        let gate = &self.nodes[0].gate;
        let how = Rolling { overlap: OVERLAP, ..Rolling::default() };
        let new = secrets::roll(gate, &Actor::System, &self.client, how).await.unwrap();
        self.told().await;
        let current = Secret { id: new.view.secret_id, text: new.secret.expose().into() };
        let mut held = self.held.lock().unwrap();
        held.previous = Some(std::mem::replace(&mut held.current, current));
    }

    /// The programs give the previous secret up, and it is ended.
    async fn end_previous(&self) -> Secret {
        let previous = self.held.lock().unwrap().previous.take().unwrap();
        let (gate, system) = (&self.nodes[0].gate, &Actor::System);
        secrets::end(gate, system, &self.client, previous.id, Ending::default()).await.unwrap();
        assert_eq!(self.ask(0, &previous).await.outcome(), (401, "invalid_client".to_owned()), "at once");
        self.told().await;
        assert_eq!(self.ask(1, &previous).await.status, 401, "and by whoever has heard");
        previous
    }
}

/// Tells the callers that it is over, also when the test has failed.
struct Over<'a>(&'a Scene);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rolls_under_load_refuse_no_secret_that_is_good_and_every_one_that_is_not() {
    let scene = Scene::start().await;
    let callers: Vec<_> = (0..CALLERS)
        .map(|seed| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.keep_asking(seed).await })
        })
        .collect();

    let over = Over(&scene);
    let mut ended = Vec::new();
    for _ in 0..ROLLS {
        scene.roll().await;
        scene.answered().await;
        ended.push(scene.end_previous().await);
        scene.answered().await;
    }
    drop(over);
    for caller in callers {
        caller.await.unwrap();
    }
    for node in 0..2 {
        for secret in &ended {
            assert_eq!(scene.ask(node, secret).await.status, 401, "an ended secret came back");
        }
    }
}
