//! This file is where the keys of clients are gathered: those that are stored, and those that clients publish.
//!
//! A set is fetched when it is needed, one fetch at a time for an address, and kept as long as its source says, within
//! bounds. A key that nobody knows makes one more fetch, but none sooner than the floor, so that made-up key ids send no
//! storm to anybody. While fetches fail the keys at hand count for a day.
//! The price: the first request after a set has aged waits for it, five seconds at most; a key that its client withdrew
//! counts until then. The rule about where a set may come from is core's; it is asked about the very address that is
//! connected to, for a name may lead elsewhere each time it is resolved.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use gatepost_core::clients::jwks_uri::{Allowed, JwksUri};
use gatepost_core::clients::{AssertionKey, ClientRecord, KeyMaterial};
use gatepost_jose::{Header, JwkSet};
use moka::sync::Cache;
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::gate::Gate;

/// The longest key set that is read.
pub const MAX_BYTES: usize = 64 * 1024;
/// For name, connection, answer and all.
const DEADLINE: Duration = Duration::from_secs(5);
/// Between two fetches of a set that is at hand, and of one that is not.
const FLOOR: Duration = Duration::from_secs(30);
const FLOOR_WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// What a source says about freshness is believed within these bounds; the middle one is for those that say nothing.
const MAX_AGE: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(24 * 60 * 60)];
/// How long keys count while fetches fail.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many sets are kept; the one that nobody asked for longest goes first.
const MOST_SETS: u64 = 10_000;

/// What is to be fetched, and from where.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its URL; https.
    pub url: Url,
    /// The addresses that were judged, to be tried in turn; no other may be connected to.
    pub addresses: Vec<SocketAddr>,
    /// Whether it may be fetched only because the operator allows what is not public.
    pub is_internal: bool,
}

/// What a fetch brought.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The document.
    pub body: Vec<u8>,
    /// How long its source calls it fresh.
    pub max_age: Option<Duration>,
}

/// Speaks HTTP to the outside for the operations, which know no HTTP.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Gets a JSON document over TLS from one of the addresses, in the name of the URL's host; follows no redirect and
    /// reads at most [`MAX_BYTES`]. The failure is told in words for the log.
    async fn get(&self, what: &Document) -> Result<Fetched, String>;
}

/// The key sets that clients publish at addresses of their own.
pub struct ClientJwks {
    allowed: Allowed,
    fetch: OnceLock<Arc<dyn Fetch>>,
    sets: Cache<String, Arc<Set>>,
}

/// One address with what it gave.
#[derive(Default)]
struct Set {
    kept: ArcSwapOption<Kept>,
    /// When it was last asked. Whoever holds the lock is the only one that asks.
    asked: Mutex<Option<Duration>>,
}

struct Kept {
    keys: Vec<AssertionKey>,
    /// On the steady clock.
    since: Duration,
    max_age: Duration,
}

/// The keys that the client may sign with now: those that are stored and those that it publishes.
pub(crate) async fn keys_for(gate: &Gate, record: &ClientRecord, header: &Header) -> Vec<AssertionKey> {
    let stored = record.keys.iter().filter_map(|key| match &key.material {
        KeyMaterial::Jwk(jwk) => AssertionKey::from_jwk(jwk).ok(),
        KeyMaterial::JwksUri(_) => None,
    });
    let mut keys: Vec<_> = stored.collect();
    for key in &record.keys {
        if let KeyMaterial::JwksUri(uri) = &key.material {
            keys.extend(gate.client_jwks.keys(uri, header, gate.clock.steady()).await);
        }
    }
    keys
}

impl ClientJwks {
    /// Nothing is fetched until someone lends a way out.
    pub fn new(allowed: Allowed) -> Self {
        Self { allowed, fetch: OnceLock::new(), sets: Cache::new(MOST_SETS) }
    }

    /// Lends the way out; the first one stays.
    pub fn lend(&self, fetch: Arc<dyn Fetch>) {
        let _ = self.fetch.set(fetch);
    }

    /// What key sets may be fetched from beside the public internet.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// The keys at the address, fetched anew if they are old or none of them fits the header; `now` is steady time.
    async fn keys(&self, uri: &str, header: &Header, now: Duration) -> Vec<AssertionKey> {
        let set = self.sets.get_with_by_ref(uri, Arc::default);
        let seen = set.kept.load_full();
        if let Some(kept) = seen.as_ref().filter(|kept| kept.is_fresh(now) && kept.has(header)) {
            return kept.keys.clone();
        }
        let Some(fetch) = self.fetch.get().map(Arc::clone) else {
            return Vec::new();
        };

        // A task of its own: a caller who hangs up must not end the fetch for the others who wait for it.
        let way = Way { uri: uri.to_owned(), allowed: self.allowed.clone(), fetch };
        let fetching = Arc::clone(&set);
        let _ = tokio::spawn(async move { fetching.renew(&way, seen.as_ref(), now).await }).await;
        let kept = set.kept.load_full().filter(|kept| kept.is_usable(now));
        kept.map(|kept| kept.keys.clone()).unwrap_or_default()
    }
}

impl Kept {
    fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) < self.max_age
    }

    fn is_usable(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) < self.max_age.saturating_add(STALE)
    }

    fn has(&self, header: &Header) -> bool {
        self.keys.iter().any(|key| key.fits(header))
    }
}

/// The way to one set.
struct Way {
    uri: String,
    allowed: Allowed,
    fetch: Arc<dyn Fetch>,
}

impl Set {
    /// Asks the source, unless somebody did after `seen` was looked at, or just now.
    async fn renew(&self, way: &Way, seen: Option<&Arc<Kept>>, now: Duration) {
        let mut asked = self.asked.lock().await;
        let kept = self.kept.load_full();
        let is_newer = kept.as_ref().map(Arc::as_ptr) != seen.map(Arc::as_ptr);
        let floor = if kept.is_some() { FLOOR } else { FLOOR_WITHOUT_KEYS };
        if is_newer || asked.is_some_and(|last| now.saturating_sub(last) < floor) {
            return;
        }
        *asked = Some(now);
        match way.walk().await {
            Ok((keys, max_age)) => self.kept.store(Some(Arc::new(Kept { keys, since: now, max_age }))),
            Err(why) => {
                let host = Url::parse(&way.uri).ok().and_then(|url| url.host_str().map(str::to_owned));
                tracing::warn!(host, why, "a client's key set could not be fetched; keys at hand are kept");
            }
        }
    }
}

impl Way {
    async fn walk(&self) -> Result<(Vec<AssertionKey>, Duration), String> {
        let walked = tokio::time::timeout(DEADLINE, async {
            let document = admitted(&self.uri, &self.allowed).await?;
            self.fetch.get(&document).await
        });
        let fetched = walked.await.unwrap_or_else(|_| Err("no answer within 5 s".to_owned()))?;
        if fetched.body.len() > MAX_BYTES {
            return Err("it is longer than 64 KiB".to_owned());
        }

        let set = JwkSet::parse(&fetched.body).map_err(|error| error.to_string())?;
        let [least, usual, most] = MAX_AGE;
        let max_age = fetched.max_age.unwrap_or(usual).clamp(least, most);
        Ok((set.keys().iter().filter_map(|jwk| AssertionKey::from_jwk(jwk).ok()).collect(), max_age))
    }
}

/// Resolves the host once and judges every address that it has.
async fn admitted(uri: &str, allowed: &Allowed) -> Result<Document, String> {
    let uri = JwksUri::parse(uri, allowed).map_err(|bad| bad.to_string())?;
    let resolved = resolve(&uri).await?;
    uri.admit(&resolved, allowed).map_err(|bad| bad.to_string())?;
    Ok(Document {
        url: uri.url().clone(),
        is_internal: uri.is_internal(&resolved, allowed),
        addresses: resolved.into_iter().map(|address| SocketAddr::new(address, uri.port())).collect(),
    })
}

/// All addresses of the host.
pub(crate) async fn resolve(uri: &JwksUri) -> Result<Vec<IpAddr>, String> {
    match uri.host() {
        Host::Ipv4(address) => Ok(vec![address.into()]),
        Host::Ipv6(address) => Ok(vec![address.into()]),
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name, uri.port())).await;
            let found = found.map_err(|error| format!("its host can't be resolved: {error}"))?;
            Ok(found.map(|address| address.ip()).collect())
        }
    }
}

#[cfg(test)]
mod tests;
