//! This file is where signing keys are swapped under load, before guards that keep their key sets for different times.
//!
//! The guards fetch over a real wire and may not fetch again before their time is over, so that nothing but publishing
//! ahead can save a token. Server and guards share one time, which the tests move.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gatepost_core::actor::Actor;
use gatepost_guard::{Clock as _, Feed, Fetched, Fetching, FixedKeys, Guard, JwksUrl, KeySource, Refusal};
use gatepost_jose::Primes;
use gatepost_operations::clients::{self, ClientSettings};
use gatepost_operations::telemetry::metrics::Metrics;
use gatepost_operations::{failure::Kind, keys};
use gatepost_server::connections::listen::{Listener, Served};
use gatepost_server::http::bounds::Bounds;
use serde_json::json;
use tokio::task::JoinSet;

use crate::asking::Ask;
use crate::cast::{C, S};
use crate::guard_rows::clock::TestClock;
use crate::harness::{FAST, ISSUER, START, TestServer};
use crate::reply::Token;
use crate::resource_server::{ResourceServer, token};

const HOUR: u32 = 3_600;
const STEP: u32 = 6 * HOUR;
/// Tokens live over several steps, so that each swap meets tokens of the key before.
const LIFETIME: u32 = 13 * HOUR;
/// How long the guards keep a key set; the longest keeps it until the step that makes it a day.
const KEPT: [u32; 6] = [0, 300, HOUR, 5 * HOUR, 11 * HOUR, 23 * HOUR];
/// What the server promises: a key is in the set for so long before it signs (`keys.publish_ahead`).
const AHEAD: u32 = 24 * HOUR;
const SOON: Duration = Duration::from_secs(5);

/// A server on a real port, with the time that it shares with its guards.
struct Scene {
    server: TestServer,
    clock: TestClock,
    address: SocketAddr,
    _served: Served,
}

impl Scene {
    async fn start() -> Arc<Self> {
        let server = TestServer::start().await;
        let longer = ClientSettings { lifetime: Some(LIFETIME), ..ClientSettings::default() };
        clients::update(&server.gate, &Actor::System, C, longer).await.unwrap();
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let (address, bounds) = (listener.local_addr(), Arc::new(Bounds::new(&server.gate.config)));
        let served = listener.serve(server.edge.clone(), None, &bounds, &Arc::new(Metrics::default()));
        Arc::new(Self { server, clock: TestClock::at(START / 1_000_000), address, _served: served })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn pass(&self, seconds: u32) {
        // Steady time stands still: the store is heard all the while.
        self.server.clock.set_forward(i64::from(seconds));
        self.clock.pass(seconds);
    }

    /// Tokens, asked for at once.
    fn asking(self: &Arc<Self>, api: Api, count: usize) -> JoinSet<Token> {
        let mut asking = JoinSet::new();
        for _ in 0..count {
            let scene = Arc::clone(self);
            asking.spawn(async move { token(&scene.server, (C, S), api.request()).await });
        }
        asking
    }
}

/// An API by the name and audience that its tokens carry.
#[derive(Clone, Copy)]
enum Api {
    Fast,
    /// Its tokens name neither key nor audience, and it swaps keys by hand only.
    Default,
}

impl Api {
    const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Default => "default",
        }
    }

    fn request(self) -> serde_json::Value {
        match self {
            Self::Fast => json!({ "resource": FAST }),
            Self::Default => json!({}),
        }
    }

    fn guard(self, keys: impl KeySource + 'static, clock: &TestClock) -> gatepost_guard::Builder {
        let builder = match self {
            Self::Fast => Guard::builder().rfc9068(ISSUER, FAST).keys(keys),
            Self::Default => Guard::builder().passport(keys),
        };
        builder.clock(clock.clone()).remember(0)
    }
}

/// A key set that counts as fresh for so long, whatever the server says.
struct Kept {
    source: JwksUrl,
    seconds: u32,
    clock: TestClock,
    fetched: Arc<AtomicU64>,
}

impl KeySource for Kept {
    fn fetch<'a>(&'a self, etag: Option<&'a str>) -> Fetching<'a> {
        Box::pin(async move {
            let fetched = self.source.fetch(etag).await?;
            self.fetched.store(self.clock.steady().as_secs(), Ordering::SeqCst);
            let max_age = Some(Duration::from_secs(self.seconds.into()));
            Ok(match fetched {
                Fetched::Keys { keys, etag, .. } => Fetched::Keys { keys, etag, max_age },
                Fetched::Unchanged { .. } => Fetched::Unchanged { max_age },
            })
        })
    }
}

/// A guard, and when it fetched last.
struct Follower {
    guard: Guard,
    seconds: u32,
    fetched: Arc<AtomicU64>,
}

impl Follower {
    fn of(scene: &Scene, api: Api, seconds: u32, feed: Option<Feed>) -> Self {
        let fetched = Arc::new(AtomicU64::new(0));
        let source = JwksUrl::of_api(&scene.url(), api.name()).unwrap();
        let keys = Kept { source, seconds, clock: scene.clock.clone(), fetched: Arc::clone(&fetched) };
        let builder = api.guard(keys, &scene.clock).refetch_floor(Duration::from_secs(seconds.into()));
        let builder = if let Some(feed) = feed { builder.follow(feed) } else { builder };
        Self { guard: builder.build().unwrap(), seconds, fetched }
    }

    /// Waits until the fetch is over that a guard begins beside a call when its time is over.
    async fn settled(&self, scene: &Scene) {
        let (now, began) = (scene.clock.steady().as_secs(), Instant::now());
        while self.fetched.load(Ordering::SeqCst) + u64::from(self.seconds) < now {
            assert!(began.elapsed() < SOON, "the guard that keeps keys for {} s did not fetch", self.seconds);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What a swap of keys is shown by.
struct Rehearsal {
    scene: Arc<Scene>,
    api: Api,
    guards: Vec<Follower>,
    /// Tokens that are still valid, with the time of their issue.
    live: VecDeque<(i64, String)>,
    /// The key sets of the last day, the oldest first.
    published: VecDeque<(i64, String)>,
    signers: Vec<String>,
    /// Of how many primes the key after so many others is to be, where that is said.
    primes: fn(usize) -> Option<Primes>,
}

impl Rehearsal {
    async fn of(api: Api) -> Self {
        let scene = Scene::start().await;
        let guards = KEPT.iter().map(|seconds| Follower::of(&scene, api, *seconds, None)).collect();
        let (live, published) = (VecDeque::new(), VecDeque::new());
        Self { scene, api, guards, live, published, signers: Vec::new(), primes: |_| None }
    }

    /// Some hours pass; the keys move on while tokens are asked for; then everyone judges all that are valid.
    async fn step(&mut self) {
        self.scene.pass(STEP);
        let asking = self.scene.asking(self.api, 2);
        self.move_keys_on().await;
        let set = self.key_set().await;
        let mut tokens = asking.join_all().await;
        // Those were asked for while the keys moved on, this one surely after it.
        tokens.extend(self.scene.asking(self.api, 1).join_all().await);
        let now = self.scene.clock.seconds();
        self.published.push_back((now, set));
        self.live.extend(tokens.into_iter().map(|token| (now, token.text)));
        self.live.retain(|(issued, _)| now < issued + i64::from(LIFETIME));
        // The last set that is at least a day old.
        while self.published.get(1).is_some_and(|(at, _)| at + i64::from(AHEAD) <= now) {
            self.published.pop_front();
        }

        for follower in &self.guards {
            self.judged_by(&follower.guard, follower.seconds).await;
            follower.settled(&self.scene).await;
        }
        let day_old = FixedKeys::from_jwks(self.published[0].1.as_bytes()).unwrap();
        self.judged_by(&self.api.guard(day_old, &self.scene.clock).build().unwrap(), AHEAD).await;
    }

    async fn judged_by(&self, guard: &Guard, kept: u32) {
        for (issued, token) in &self.live {
            let verdict = guard.judge(token).await;
            assert!(verdict.is_ok(), "a set of {kept} s, a token of {issued}: {verdict:?}");
        }
    }

    /// Publishes the next key as soon as there is none, and does what is due.
    async fn move_keys_on(&mut self) {
        let (gate, name) = (&self.scene.server.gate, self.api.name());
        keys::tick(gate).await.unwrap();
        if matches!(self.api, Api::Default) {
            let promoted = keys::promote(gate, &Actor::System, name, false).await;
            assert!(promoted.as_ref().err().is_none_or(|early| early.kind != Kind::Internal), "{promoted:?}");
        }
        let primes = (self.primes)(self.signers.len());
        let rotated = keys::rotate_to(gate, &Actor::System, name, primes, false).await;
        assert!(rotated.as_ref().err().is_none_or(|waits| waits.kind == Kind::Conflict), "{rotated:?}");

        let api = self.scene.server.api(name);
        let signer = gate.ring().keys_of(api).unwrap().signer.key.kid().to_string();
        if self.signers.last() != Some(&signer) {
            assert!(!self.signers.contains(&signer), "a key came back");
            self.signers.push(signer);
        }
    }

    async fn key_set(&self) -> String {
        let path = format!("/.well-known/jwks/{}.json?all=1", self.api.name());
        self.scene.server.send(Ask::read(&path)).await.text().to_owned()
    }

    /// Goes on until so many keys have taken over from the one before.
    async fn until_rotated(mut self, times: usize) {
        let steps = times * 6 + 6;
        for _ in 0..steps {
            self.step().await;
            if self.signers.len() > times {
                return;
            }
        }
        panic!("only {} keys have signed in {steps} steps", self.signers.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rotations_under_load_refuse_no_token_and_sign_with_no_unpublished_key() {
    Rehearsal::of(Api::Fast).await.until_rotated(100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_without_ids_are_swapped_by_hand_and_refuse_no_token_either() {
    Rehearsal::of(Api::Default).await.until_rotated(100).await;
}

#[cfg(feature = "multi-prime")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guards_follow_from_two_primes_to_four_and_back() {
    let alternating = |signers| Some(if signers % 2 == 0 { Primes::Four } else { Primes::Two });
    let rehearsal = Rehearsal { primes: alternating, ..Rehearsal::of(Api::Default).await };
    let scene = Arc::clone(&rehearsal.scene);
    rehearsal.until_rotated(3).await;

    let keys = keys::list(&scene.server.gate, Some("default")).await.unwrap();
    for primes in [2, 4] {
        assert!(keys.iter().any(|key| key.primes == Some(primes)), "{keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_under_load_is_refused_by_every_follower_within_five_seconds() {
    let scene = Scene::start().await;
    let api = ResourceServer::of(&scene.server.gate, "fast").await;
    let feed = || Feed::new(ISSUER, &api.id, &api.secret).unwrap().reached_at(&scene.url()).unwrap();
    let guards: Vec<_> =
        KEPT.iter().map(|kept| Follower::of(&scene, Api::Fast, *kept, Some(feed()))).collect();
    for _ in 0..3 {
        let lost = token(&scene.server, (C, S), Api::Fast.request()).await;
        for follower in &guards {
            within(&follower.guard, &lost.text, |verdict| verdict.is_ok()).await;
        }

        let asking = scene.asking(Api::Fast, 8);
        let kid = kid(&lost);
        keys::revoke(&scene.server.gate, &Actor::System, &kid).await.unwrap();
        let revoked = Instant::now();
        for follower in &guards {
            within(&follower.guard, &lost.text, |verdict| verdict.is_err()).await;
        }
        assert!(revoked.elapsed() < SOON, "{:?}", revoked.elapsed());

        let of_the_load = asking.join_all().await;
        let next = token(&scene.server, (C, S), Api::Fast.request()).await;
        assert_ne!(self::kid(&next), kid);
        for token in of_the_load.iter().chain([&next]) {
            let stays = self::kid(token) != kid;
            for follower in &guards {
                within(&follower.guard, &token.text, |verdict| verdict.is_ok() == stays).await;
            }
        }
    }
}

fn kid(token: &Token) -> String {
    let header: serde_json::Value = serde_json::from_str(&token.header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Waits until a guard says so, as long as news may take.
async fn within(
    guard: &Guard,
    token: &str,
    wanted: impl Fn(&Result<gatepost_guard::Caller, Refusal>) -> bool,
) {
    let began = Instant::now();
    loop {
        let verdict = guard.judge(token).await;
        if wanted(&verdict) {
            return;
        }
        assert!(began.elapsed() < SOON, "still {verdict:?}: {:?}", guard.feed_status());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
