//! This file is where a gate is set up for a test: an empty store, a clock, an API, a partner and a client.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use gatepost_operations::apis::{self, CreateApi};
use gatepost_operations::clients::{self, ClientSettings, ClientView, CreateClient};
use gatepost_operations::clock::Clock;
use gatepost_operations::config::{Config, Overrides};
use gatepost_operations::core::actor::Actor;
use gatepost_operations::core::clients::methods::secret_post;
use gatepost_operations::core::issuer::Issuer;
use gatepost_operations::core::params::{Door, Params, Value};
use gatepost_operations::core::refusal::Refusal;
use gatepost_operations::core::secret::Secret;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::failure::Failure;
use gatepost_operations::gate::Gate;
use gatepost_operations::partners::{self, CreatePartner};
use gatepost_operations::setup;
use gatepost_operations::tokens::{self, IssuedToken, TokenRequest};

pub(crate) const ACTOR: Actor = Actor::System;

/// A clock that stands still until it is moved, or goes on by a microsecond at each look.
#[derive(Default)]
pub(crate) struct Hands {
    wall: AtomicI64,
    step: AtomicI64,
    /// Microseconds.
    steady: AtomicU64,
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        let step = self.step.load(Ordering::SeqCst);
        Timestamp::from_micros(self.wall.fetch_add(step, Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_micros(self.steady.load(Ordering::SeqCst))
    }
}

pub(crate) struct Stage {
    pub(crate) folder: Arc<tempfile::TempDir>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) gate: Gate,
}

impl Stage {
    /// An empty store, with small RSA keys so that tests are quick.
    pub(crate) async fn empty() -> Self {
        Self::with_settings(&[]).await
    }

    /// The same with settings as flags.
    pub(crate) async fn with_settings(settings: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let hands = Arc::new(Hands { wall: AtomicI64::new(1_800_000_000_000_000), ..Hands::default() });
        let gate = try_open_with(folder.path(), &hands, settings).await.unwrap();
        Self { folder, hands, gate }
    }

    /// A store with the API `bookings` (EdDSA, rfc9068) and its scope `read`.
    pub(crate) async fn with_api() -> Self {
        Self::with_api_and(&[]).await
    }

    /// The same with settings as flags.
    pub(crate) async fn with_api_and(settings: &[(&str, &str)]) -> Self {
        let stage = Self::with_settings(settings).await;
        let request = CreateApi {
            name: "bookings".into(),
            audience: "https://bookings.example".into(),
            profile: None,
            alg: Some("EdDSA".into()),
            ..CreateApi::default()
        };
        apis::create(&stage.gate, &ACTOR, request).await.unwrap();
        apis::create_scope(&stage.gate, &ACTOR, "bookings", "read", "Read bookings").await.unwrap();
        stage
    }

    /// Another node over the same store.
    pub(crate) async fn second_node(&self) -> Gate {
        open(self.folder.path(), &self.hands).await
    }

    /// Time passes on both clocks.
    pub(crate) fn pass(&self, time: Duration) {
        self.hands.wall.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
        self.hands.steady.fetch_add(u64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// From now on no two looks at the wall clock say the same.
    pub(crate) fn let_run(&self) {
        self.hands.step.store(1, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock back.
    pub(crate) fn set_back(&self, time: Duration) {
        self.hands.wall.fetch_sub(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock forward.
    pub(crate) fn set_forward(&self, time: Duration) {
        self.hands.wall.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.hands.now()
    }

    /// A client of a new partner of that name.
    pub(crate) async fn client(&self, partner: &str) -> WithSecret {
        self.client_of("bookings", &["read"], partner).await
    }

    /// A client of that API with these scopes, of a new partner.
    pub(crate) async fn client_of(&self, api: &str, scopes: &[&str], partner: &str) -> WithSecret {
        let created = partners::create(
            &self.gate,
            &ACTOR,
            CreatePartner { name: partner.into(), id: None, expires: None },
        )
        .await
        .unwrap();
        let settings = ClientSettings {
            apis: Some(vec![api.into()]),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..ClientSettings::default()
        };
        let request = CreateClient {
            partner: created.slug,
            name: "server".into(),
            settings,
            ..CreateClient::default()
        };
        let made = clients::create(&self.gate, &ACTOR, request).await.unwrap();
        WithSecret { client: made.client, secret: made.secret.unwrap() }
    }
}

/// A client with the secret that was made with it.
pub(crate) struct WithSecret {
    pub(crate) client: ClientView,
    pub(crate) secret: Secret,
}

/// A node over the state in `folder`.
pub(crate) async fn open(folder: &Path, hands: &Arc<Hands>) -> Gate {
    try_open(folder, hands).await.unwrap()
}

/// A node over the state in `folder`, if it may be opened.
pub(crate) async fn try_open(folder: &Path, hands: &Arc<Hands>) -> Result<Gate, Failure> {
    try_open_with(folder, hands, &[]).await
}

async fn try_open_with(
    folder: &Path,
    hands: &Arc<Hands>,
    settings: &[(&str, &str)],
) -> Result<Gate, Failure> {
    let small = [("keys.rsa_bits", "2048")];
    let flags = small.iter().chain(settings).map(|(key, value)| ((*key).into(), (*value).into()));
    let overrides = Overrides { config_file: None, data: Some(folder.to_owned()), flags: flags.collect() };
    let config = Config::load(overrides, []).unwrap().config;
    let issuer = Issuer::parse("https://auth.example").unwrap();
    setup::open_or_init(config, issuer, Arc::clone(hands) as Arc<dyn Clock>).await
}

/// Asks for a token at the standard door.
pub(crate) async fn ask(gate: &Gate, client: &str, secret: &str) -> Result<IssuedToken, Refusal> {
    let mut params = Params::default();
    params.insert("grant_type".into(), Value::Text("client_credentials".into()));
    let request = TokenRequest {
        door: Door::Standard,
        params: Ok(params),
        presented: Ok(secret_post(client, secret)),
        address: Some([192, 0, 2, 7].into()),
        request_id: "r".into(),
    };
    tokens::issue(gate, request).await
}
