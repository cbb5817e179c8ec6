//! This file is where the key sets that clients publish are held, each with its age; none of it asks for anything else.

use std::sync::{Arc, Mutex as Lock, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gatepost_core::clients::jwks_uri::Allowed;
use gatepost_core::clients::{AssertionKey, ClientId, ClientRecord, KeyMaterial};
use gatepost_jose::Header;
use moka::sync::Cache;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::Instant;
use url::Url;

use super::source::{DEADLINE, Fetch, Way};

/// Between two fetches of a set that is at hand, and of one that is not.
const FLOOR: Duration = Duration::from_secs(30);
const FLOOR_WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// How long keys count while fetches fail.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many sets are kept; the one that nobody asked for longest goes first.
const MOST_SETS: u64 = 10_000;
/// How often one that fails is asked.
const PAUSE: Duration = Duration::from_secs(60);
/// Of so many clients it is known that they name one address.
const MOST_OWNERS: usize = 8;

/// The key sets that clients publish at addresses of their own.
pub struct ClientJwks {
    allowed: Allowed,
    fetch: OnceLock<Arc<dyn Fetch>>,
    sets: Cache<String, Arc<Set>>,
    /// Told when clients were read ahead.
    met: Notify,
    /// Until when who signs waits for the first round of fetches; `None` once it has ended.
    start: watch::Sender<Option<Instant>>,
}

/// One address with what it gave.
#[derive(Default)]
pub(super) struct Set {
    /// Clients that name it.
    owners: Lock<Vec<ClientId>>,
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

impl ClientJwks {
    /// Nothing is fetched until someone lends a way out.
    pub fn new(allowed: Allowed) -> Self {
        let (fetch, sets, met) = (OnceLock::new(), Cache::new(MOST_SETS), Notify::new());
        Self { allowed, fetch, sets, met, start: watch::Sender::new(None) }
    }

    /// Lends the way out; the first one stays.
    pub fn lend(&self, fetch: Arc<dyn Fetch>) {
        let _ = self.fetch.set(fetch);
    }

    /// What key sets may be fetched from beside the public internet.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// A server starts: who signs waits until [`Self::end_start`] is said, or as long as one fetch may take.
    pub(crate) fn begin(&self) {
        self.start.send_replace(Some(Instant::now() + DEADLINE));
    }

    /// The sets of those who were read ahead at the start have been asked for, if there is a way out by now.
    pub(crate) fn end_start(&self) {
        if self.fetch.get().is_some() {
            self.start.send_replace(None);
        }
    }

    /// Returns once the start is over. Nobody who presents an assertion is told apart by it.
    pub(crate) async fn after_the_start(&self) {
        let until = *self.start.borrow();
        if let Some(until) = until {
            let mut start = self.start.subscribe();
            let _ = tokio::time::timeout_at(until, start.wait_for(Option::is_none)).await;
        }
    }

    /// The client was read ahead: its sets are due.
    pub(crate) fn meet(&self, record: &ClientRecord) {
        addresses(record).for_each(|uri| drop(self.set(uri, &record.client.id)));
    }

    /// Clients were read ahead.
    pub(crate) fn all_met(&self) {
        self.met.notify_one();
    }

    /// Returns once clients were read ahead.
    pub(crate) async fn any_met(&self) {
        self.met.notified().await;
    }

    fn set(&self, uri: &str, owner: &ClientId) -> Arc<Set> {
        let set = self.sets.get_with_by_ref(uri, Arc::default);
        set.own(owner);
        set
    }

    /// The keys that are at hand of the address, and the fetch that is to be made if they are old or none fits the
    /// header; `now` is steady time.
    pub(super) fn at_hand(
        &self,
        (uri, owner): (&str, &ClientId),
        header: &Header,
        now: Duration,
    ) -> (Vec<AssertionKey>, Option<impl Future<Output = ()> + Send + use<>>) {
        let set = self.set(uri, owner);
        let seen = set.kept.load_full();
        let keys = seen.as_ref().filter(|kept| kept.is_usable(now)).map(|kept| kept.keys.clone());
        let is_good = seen.as_ref().is_some_and(|kept| kept.is_fresh(now) && kept.has(header));
        let way = if is_good || !set.may_be_asked(now) { None } else { self.way(uri) };
        (keys.unwrap_or_default(), way.map(|way| set.renew(way, seen, now)))
    }

    /// The sets that are to be fetched though nobody asks.
    pub(super) fn due(&self, now: Duration) -> Vec<(Arc<String>, Arc<Set>)> {
        self.sets.iter().filter(|(_, set)| set.is_due(now)).collect()
    }

    /// The fetch that is to be made of a set that is due.
    pub(super) fn renewal(
        &self,
        (uri, set): (&str, Arc<Set>),
        now: Duration,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let seen = set.kept.load_full();
        self.way(uri).map(|way| set.renew(way, seen, now))
    }

    /// Lets go of a set that no client names any more.
    pub(super) fn let_go(&self, uri: &str) {
        self.sets.invalidate(uri);
    }

    fn way(&self, uri: &str) -> Option<Way> {
        let fetch = self.fetch.get().map(Arc::clone)?;
        Some(Way { uri: uri.to_owned(), allowed: self.allowed.clone(), fetch })
    }
}

impl Kept {
    fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) < self.max_age
    }

    /// Whether little of its time is left: better fetched now than too late.
    fn is_old(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) >= self.max_age.mul_f64(0.8)
    }

    fn is_usable(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) < self.max_age.saturating_add(STALE)
    }

    fn has(&self, header: &Header) -> bool {
        self.keys.iter().any(|key| key.fits(header))
    }
}

impl Set {
    /// Whether a fetch now would be no sooner than the floor, and the only one.
    fn may_be_asked(&self, now: Duration) -> bool {
        self.asked
            .try_lock()
            .is_ok_and(|asked| asked.is_none_or(|last| now.saturating_sub(last) >= self.floor()))
    }

    fn floor(&self) -> Duration {
        if self.kept.load().is_some() { FLOOR } else { FLOOR_WITHOUT_KEYS }
    }

    /// Whether it is to be fetched though nobody asks.
    fn is_due(&self, now: Duration) -> bool {
        let Ok(asked) = self.asked.try_lock() else {
            return false;
        };
        let Some(last) = *asked else {
            return true;
        };
        let kept = self.kept.load();
        let has_failed = kept.as_ref().is_none_or(|kept| kept.since != last);
        let pause = if has_failed { PAUSE } else { self.floor() };
        kept.as_ref().is_none_or(|kept| kept.is_old(now)) && now.saturating_sub(last) >= pause
    }

    /// Asks the source, unless somebody did after `seen` was looked at, or just now.
    async fn renew(self: Arc<Self>, way: Way, seen: Option<Arc<Kept>>, now: Duration) {
        let mut asked = self.asked.lock().await;
        let kept = self.kept.load_full();
        let is_newer = kept.as_ref().map(Arc::as_ptr) != seen.as_ref().map(Arc::as_ptr);
        if is_newer || asked.is_some_and(|last| now.saturating_sub(last) < self.floor()) {
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

    /// Clients that name its address, as far as they are known.
    pub(super) fn owners(&self) -> Vec<ClientId> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn own(&self, client: &ClientId) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() < MOST_OWNERS && !owners.contains(client) {
            owners.push(client.clone());
        }
    }

    /// The client names its address no more.
    pub(super) fn disown(&self, client: &ClientId) {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).retain(|owner| owner != client);
    }
}

/// The addresses at which a client publishes its keys.
pub(super) fn addresses(record: &ClientRecord) -> impl Iterator<Item = &str> {
    record.keys.iter().filter_map(|key| match &key.material {
        KeyMaterial::JwksUri(uri) => Some(uri.as_str()),
        KeyMaterial::Jwk(_) => None,
    })
}

#[cfg(test)]
mod tests;
