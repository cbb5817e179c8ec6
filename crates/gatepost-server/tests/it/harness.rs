//! This file is where a whole server is put up inside a test: a folder of its own, a clock of its own, no network.
//!
//! The state is made once, with the 4096-bit key of a first start, and kept as bytes; each test writes its own copy.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gatepost_core::actor::Actor;
use gatepost_core::apis::ApiId;
use gatepost_core::change::Change;
use gatepost_core::issuer::Issuer;
use gatepost_core::time::Timestamp;
use gatepost_operations::clock::Clock;
use gatepost_operations::config::{Config, Overrides};
use gatepost_operations::gate::Gate;
use gatepost_operations::{apis, news, setup};
use gatepost_server::http::bounds::Bounds;
use gatepost_server::layers::Edge;
use gatepost_server::{Routes, public_routes};
use http_body_util::BodyExt as _;
use tempfile::TempDir;

use crate::asking::Ask;
use crate::cast;
use crate::reply::Reply;

/// Who issues the tokens here.
pub(crate) const ISSUER: &str = "https://auth.example";
/// The audience of the API `bookings`.
pub(crate) const BOOKINGS: &str = "https://bookings.example/v1";
/// The audience of the API `fast`.
pub(crate) const FAST: &str = "https://fast.example/";
/// When the clock starts: the moment of the origin page's sample token.
pub(crate) const START: i64 = 1_710_220_031_577_478;

/// A clock that goes on by a few microseconds at each look, or stands still.
pub(crate) struct SteppingClock {
    micros: AtomicI64,
    step: AtomicI64,
    /// Seconds; they pass when [`SteppingClock::advance`] says so, and no other way.
    steady: AtomicU64,
}

impl SteppingClock {
    fn at(start: i64) -> Self {
        Self { micros: AtomicI64::new(start), step: AtomicI64::new(7), steady: AtomicU64::new(0) }
    }

    /// Goes on by so many seconds.
    pub(crate) fn advance(&self, seconds: i64) {
        self.steady.fetch_add(u64::try_from(seconds).unwrap(), Ordering::SeqCst);
        self.set_forward(seconds);
    }

    /// Somebody sets the wall clock forward by so many seconds.
    pub(crate) fn set_forward(&self, seconds: i64) {
        self.micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Stands still at this instant.
    pub(crate) fn stop_at(&self, micros: i64) {
        self.step.store(0, Ordering::SeqCst);
        self.micros.store(micros, Ordering::SeqCst);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.fetch_add(self.step.load(Ordering::SeqCst), Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(self.steady.load(Ordering::SeqCst))
    }
}

/// A server over a state of its own.
pub(crate) struct TestServer {
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Arc<SteppingClock>,
    pub(crate) edge: Edge,
    folder: Arc<TempDir>,
}

impl TestServer {
    /// A server with the whole cast of clients.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same, and who fails may fail as often as it likes.
    pub(crate) async fn patient() -> Self {
        Self::with(&[("limits.failed_per_client", "0"), ("limits.failed_per_address", "0")]).await
    }

    /// The same with settings as flags.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &*PREPARED {
            write_private(&folder.path().join(name), bytes);
        }
        let clock = Arc::new(SteppingClock::at(START));
        let gate = Arc::new(open(folder.path(), settings, &clock).await);
        Self { edge: edge(&gate), gate, clock, folder: Arc::new(folder) }
    }

    /// An empty server of another issuer, whose clock stands still.
    pub(crate) async fn of_issuer(issuer: &str, micros: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SteppingClock::at(micros));
        clock.stop_at(micros);
        let config = config(folder.path(), [("keys.rsa_bits", "2048")].iter());
        let clock_of_gate = Arc::clone(&clock) as Arc<dyn Clock>;
        let gate = setup::open_or_init(config, Issuer::parse(issuer).unwrap(), clock_of_gate).await.unwrap();
        let gate = Arc::new(gate);
        Self { edge: edge(&gate), gate, clock, folder: Arc::new(folder) }
    }

    /// A second node: another gate over the same state, with the same settings.
    pub(crate) async fn another_node(&self) -> Arc<Gate> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Arc::new(setup::open_or_init(self.gate.config.clone(), issuer(), clock).await.unwrap())
    }

    /// A second node that answers requests; it shares the state and the clock, and lives as long as the first.
    pub(crate) async fn another_server(&self) -> Self {
        let gate = self.another_node().await;
        Self { edge: edge(&gate), gate, clock: Arc::clone(&self.clock), folder: Arc::clone(&self.folder) }
    }

    /// The same with settings of its own.
    pub(crate) async fn another_server_with(&self, settings: &[(&str, &str)]) -> Self {
        let gate = Arc::new(open(self.folder.path(), settings, &self.clock).await);
        Self { edge: edge(&gate), gate, clock: Arc::clone(&self.clock), folder: Arc::clone(&self.folder) }
    }

    /// The same state after a stop and a start.
    pub(crate) async fn restarted(self) -> Self {
        self.gate.close().await;
        self.another_server().await
    }

    /// Time passes while the store is heard.
    pub(crate) async fn pass(&self, seconds: i64) {
        self.clock.advance(seconds);
        news::take_up(&self.gate).await.unwrap();
    }

    /// Sends one request through layers and routes.
    pub(crate) async fn send(&self, ask: Ask) -> Reply {
        let response = self.edge.answer(ask.into_request()).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body: body.to_vec() }
    }

    /// Applies changes as the server itself.
    pub(crate) async fn apply(&self, changes: Vec<Change>) {
        self.gate.apply(&Actor::System, changes).await.unwrap();
    }

    /// Makes an API; its default profile is rfc9068.
    pub(crate) async fn make_api(&self, name: &str, alg: &str) -> ApiId {
        make_api(&self.gate, name, &format!("https://{name}.example"), None, Some(alg)).await
    }

    /// The id of the API of that name.
    pub(crate) fn api(&self, name: &str) -> ApiId {
        api(&self.gate, name)
    }

    /// The bytes of every file of the store.
    pub(crate) fn stored_bytes(&self) -> Vec<(String, Vec<u8>)> {
        files(self.folder.path()).into_iter().filter(|(name, _)| name.starts_with("gatepost.db")).collect()
    }
}

/// The id of the API of that name.
pub(crate) fn api(gate: &Gate, name: &str) -> ApiId {
    ApiId(apis::show(gate, name).unwrap().api_id)
}

async fn make_api(
    gate: &Gate,
    name: &str,
    audience: &str,
    profile: Option<&str>,
    alg: Option<&str>,
) -> ApiId {
    let request = apis::CreateApi {
        name: name.to_owned(),
        audience: audience.to_owned(),
        profile: profile.map(str::to_owned),
        alg: alg.map(str::to_owned),
        ..apis::CreateApi::default()
    };
    ApiId(apis::create(gate, &Actor::System, request).await.unwrap().api_id)
}

/// The layers around the public routes, with ids that count.
fn edge(gate: &Arc<Gate>) -> Edge {
    edge_over(gate, public_routes(Arc::clone(gate)))
}

/// The same layers around these routes.
pub(crate) fn edge_over(gate: &Gate, routes: Routes) -> Edge {
    let count = AtomicU64::new(0);
    let ids = move || Arc::from(format!("request-{}", count.fetch_add(1, Ordering::SeqCst)));
    let bounds = Arc::new(Bounds::new(&gate.config));
    Edge::new(routes, bounds, Arc::clone(&gate.metrics), Arc::new(ids))
}

async fn open(folder: &Path, settings: &[(&str, &str)], clock: &Arc<SteppingClock>) -> Gate {
    // The keys that a test makes beside the first one may be small: their size is not what it is about.
    let small = [("keys.rsa_bits", "2048")];
    let settings = small.iter().chain(settings);
    setup::open_or_init(config(folder, settings), issuer(), Arc::clone(clock) as Arc<dyn Clock>)
        .await
        .unwrap()
}

fn config<'a>(folder: &Path, settings: impl Iterator<Item = &'a (&'a str, &'a str)>) -> Config {
    let flags = settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let overrides = Overrides { data: Some(folder.to_owned()), flags, ..Overrides::default() };
    Config::load(overrides, []).unwrap().config
}

fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

/// The files of a state with the whole cast, made once.
static PREPARED: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    // A thread of its own: the one that asks first may be inside a runtime.
    let made = std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(prepare())
    });
    made.join().unwrap()
});

async fn prepare() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SteppingClock::at(START - 1_000_000));
    // No setting is given: the key is the one that a first start makes.
    let gate = setup::open_or_init(config(folder.path(), [].iter()), issuer(), clock).await.unwrap();

    let system = &Actor::System;
    make_api(&gate, "bookings", BOOKINGS, None, None).await;
    make_api(&gate, "fast", FAST, Some("rfc9068"), Some("EdDSA")).await;
    for (api, scope) in cast::SCOPES {
        apis::create_scope(&gate, system, api, scope, &format!("Lets you use {scope}.")).await.unwrap();
    }
    gate.apply(system, cast::everyone(&gate)).await.unwrap();
    gate.close().await;
    files(folder.path())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()));
    let mut files: Vec<_> = read.collect();
    files.sort();
    files
}

fn write_private(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(bytes).unwrap();
}
