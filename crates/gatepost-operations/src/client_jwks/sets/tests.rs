//! This file is where key sets age, change and fail to come, by a clock of numbers and a source that counts.

use std::sync::Mutex as Lock;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use gatepost_jose::{Algorithm, Jwk, RsaBits, SigningKey};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;
use crate::client_jwks::source::{Document, Fetched, MAX_BYTES};

const URI: &str = "https://10.0.0.7/keys.json";
const START: Duration = Duration::from_secs(1_000_000);

/// A source that says what it is told to say, once it is let.
struct Source {
    says: Lock<Result<Fetched, String>>,
    asked: AtomicUsize,
    let_go: Semaphore,
}

#[async_trait]
impl Fetch for Source {
    async fn get(&self, _: &Document) -> Result<Fetched, String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _ = self.let_go.acquire().await;
        self.says.lock().unwrap().clone()
    }
}

struct Stage {
    source: Arc<Source>,
    jwks: Arc<ClientJwks>,
}

fn allowed() -> Allowed {
    Allowed { hosts: vec![], networks: vec!["10.0.0.0/8".parse().unwrap()] }
}

impl Stage {
    fn open() -> Self {
        Self::with(allowed(), 10_000)
    }

    fn with(allowed: Allowed, let_go: usize) -> Self {
        let source = Source {
            says: Lock::new(Err("nothing yet".to_owned())),
            asked: AtomicUsize::default(),
            let_go: Semaphore::new(let_go),
        };
        let (source, jwks) = (Arc::new(source), Arc::new(ClientJwks::new(allowed)));
        jwks.lend(Arc::clone(&source) as Arc<dyn Fetch>);
        Self { source, jwks }
    }

    fn publishes(&self, kids: &[&str], max_age: Option<u64>) {
        let keys: Vec<_> = kids.iter().map(|kid| jwk(kid)).collect();
        let body = serde_json::to_vec(&serde_json::json!({ "keys": keys })).unwrap();
        *self.source.says.lock().unwrap() = Ok(Fetched { body, max_age: max_age.map(Duration::from_secs) });
    }

    fn fails(&self) {
        *self.source.says.lock().unwrap() = Err("it burns".to_owned());
    }

    /// Whether the key is there at that second, and how often the source was asked once all was fetched that was to be.
    async fn ask(&self, kid: &str, second: u64) -> (bool, usize) {
        let now = START + Duration::from_secs(second);
        let (keys, renewal) = self.jwks.at_hand((URI, &owner()), &header(kid), now);
        if let Some(renewal) = renewal {
            renewal.await;
        }
        (keys.iter().any(|key| key.fits(&header(kid))), self.source.asked.load(Ordering::SeqCst))
    }
}

fn owner() -> ClientId {
    ClientId::parse("c").unwrap()
}

fn header(kid: &str) -> Header {
    Header { alg: Algorithm::EdDsa, typ: None, kid: Some(kid.to_owned()) }
}

fn jwk(kid: &str) -> Jwk {
    let key = SigningKey::generate(Algorithm::EdDsa, RsaBits::B2048).unwrap();
    Jwk { kid: Some(kid.to_owned()), ..key.public().to_jwk() }
}

#[tokio::test]
async fn a_set_is_kept_as_long_as_its_source_says_within_bounds() {
    const DAY: u64 = 24 * 60 * 60;
    for (said, kept) in [
        (None, 300),
        (Some(0), 60),
        (Some(59), 60),
        (Some(600), 600),
        (Some(DAY), DAY),
        (Some(u64::MAX), DAY),
    ] {
        let stage = Stage::open();
        stage.publishes(&["a"], said);
        assert_eq!(stage.ask("a", 0).await, (false, 1), "nobody waits for the first one");
        assert_eq!(stage.ask("a", kept - 1).await, (true, 1), "{said:?}");
        assert_eq!(stage.ask("a", kept).await, (true, 2), "{said:?}");
    }
}

#[tokio::test]
async fn an_unknown_key_makes_one_more_fetch_but_none_below_the_floor() {
    let stage = Stage::open();
    stage.publishes(&["old"], Some(3_600));
    assert_eq!(stage.ask("old", 0).await, (false, 1));

    stage.publishes(&["old", "new"], Some(3_600));
    assert_eq!(stage.ask("new", 29).await, (false, 1), "a made-up key id would look the same");
    assert_eq!(stage.ask("new", 30).await, (false, 2), "it is refused at once, and looked for");
    assert_eq!(stage.ask("new", 30).await, (true, 2));
    assert_eq!(stage.ask("made up", 31).await, (false, 2));
    assert_eq!(stage.ask("old", 31).await, (true, 2));
}

#[tokio::test]
async fn a_withdrawn_key_is_gone_once_the_set_has_aged() {
    let stage = Stage::open();
    stage.publishes(&["old"], Some(60));
    assert_eq!(stage.ask("old", 0).await, (false, 1));

    stage.publishes(&["new"], Some(60));
    assert_eq!(stage.ask("old", 59).await, (true, 1));
    assert_eq!(stage.ask("old", 60).await, (true, 2), "who comes first has it looked for");
    assert_eq!(stage.ask("old", 61).await, (false, 2));
    assert_eq!(stage.ask("new", 61).await, (true, 2));
}

#[tokio::test]
async fn keys_at_hand_count_for_a_day_while_their_source_fails() {
    const DAY: u64 = 24 * 60 * 60;
    let stage = Stage::open();
    stage.publishes(&["a"], Some(60));
    assert_eq!(stage.ask("a", 0).await, (false, 1));

    stage.fails();
    assert_eq!(stage.ask("a", 60).await, (true, 2));
    assert_eq!(stage.ask("a", 61).await, (true, 2), "it was asked just now");
    assert_eq!(stage.ask("a", 90).await, (true, 3));
    assert_eq!(stage.ask("a", DAY + 59).await, (true, 4));
    assert_eq!(stage.ask("a", DAY + 90).await, (false, 5));

    stage.publishes(&["a"], Some(60));
    assert_eq!(stage.ask("a", DAY + 120).await, (false, 6));
    assert_eq!(stage.ask("a", DAY + 121).await, (true, 6));
}

#[tokio::test]
async fn a_source_that_never_answered_is_asked_again_soon() {
    let stage = Stage::open();
    assert_eq!(stage.ask("a", 0).await, (false, 1));
    assert_eq!(stage.ask("a", 4).await, (false, 1));
    stage.publishes(&["a"], None);
    assert_eq!(stage.ask("a", 5).await, (false, 2));
    assert_eq!(stage.ask("a", 6).await, (true, 2));
}

#[tokio::test]
async fn a_set_is_due_before_it_is_stale_and_one_that_fails_once_a_minute() {
    let stage = Stage::open();
    let is_due = |second| !stage.jwks.due(START + Duration::from_secs(second)).is_empty();
    assert!(!is_due(0), "nobody named it");
    let set = stage.jwks.set(URI, &owner());
    assert!(is_due(0));
    stage.publishes(&["a"], Some(300));
    assert_eq!(stage.ask("a", 0).await, (false, 1));
    assert!(!is_due(239) && is_due(240));

    stage.fails();
    Arc::clone(&set)
        .renew(stage.jwks.way(URI).unwrap(), set.kept.load_full(), START + Duration::from_secs(240))
        .await;
    assert!(!is_due(299) && is_due(300));
}

#[tokio::test]
async fn many_at_the_same_moment_share_one_fetch_and_none_waits_for_it() {
    let stage = Stage::with(allowed(), 0);
    stage.publishes(&["a"], None);
    let mut fetches = JoinSet::new();
    for _ in 0..64 {
        let (keys, renewal) = stage.jwks.at_hand((URI, &owner()), &header("a"), START);
        assert!(keys.is_empty());
        if let Some(renewal) = renewal {
            fetches.spawn(renewal);
        }
    }
    stage.source.let_go.add_permits(64);
    fetches.join_all().await;
    assert_eq!(stage.ask("a", 0).await, (true, 1));
}

#[tokio::test]
async fn what_is_no_key_set_is_no_answer() {
    for body in [b"".to_vec(), b"[]".to_vec(), b"{}".to_vec(), vec![b' '; MAX_BYTES + 1]] {
        let stage = Stage::open();
        stage.publishes(&["a"], Some(60));
        assert_eq!(stage.ask("a", 0).await, (false, 1));
        *stage.source.says.lock().unwrap() = Ok(Fetched { body, max_age: None });
        assert_eq!(stage.ask("a", 60).await, (true, 2));
        assert_eq!(stage.ask("a", 61).await, (true, 2), "the keys at hand are kept");
    }
}

#[tokio::test]
async fn an_address_that_is_not_public_is_never_asked() {
    let stage = Stage::with(Allowed::default(), 10);
    stage.publishes(&["a"], None);
    assert_eq!(stage.ask("a", 0).await, (false, 0));
    for uri in [
        "https://localhost/j",
        "https://[::1]/j",
        "http://8.8.8.8/j",
        "https://169.254.169.254/j",
        "nonsense",
    ] {
        let (keys, renewal) = stage.jwks.at_hand((uri, &owner()), &header("a"), START);
        renewal.unwrap().await;
        assert!(keys.is_empty(), "{uri}");
        assert!(stage.jwks.set(uri, &owner()).kept.load().is_none(), "{uri}");
    }
    assert_eq!(stage.source.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_a_way_out_nothing_is_fetched() {
    let jwks = ClientJwks::new(allowed());
    let (keys, renewal) = jwks.at_hand((URI, &owner()), &header("a"), START);
    assert!(keys.is_empty() && renewal.is_none());
}
