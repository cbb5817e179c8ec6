//! This file is where the parts that operations share are held together: store, keys, clock, chance, signing threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use gatepost_core::actor::Actor;
use gatepost_core::change::{Change, Subject};
use gatepost_core::issuer::Issuer;
use gatepost_core::time::Timestamp;
use gatepost_store::{CachedClients, Store};
use tokio::sync::watch;

use crate::client_jwks::ClientJwks;
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::key_ring::KeyRing;
use crate::master_key::MasterKey;
use crate::revocations::Revocations;
use crate::signing::Pool;
use crate::telemetry::metrics::Metrics;
use crate::usage::Usage;

/// Everything an operation may need.
pub struct Gate {
    /// The checked configuration.
    pub config: Config,
    /// Who the tokens say issued them.
    pub issuer: Issuer,
    /// The state.
    pub store: Arc<dyn Store>,
    /// The clients that were asked for lately.
    pub clients: CachedClients,
    /// The key sets that clients publish at addresses of their own.
    pub client_jwks: ClientJwks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The chance.
    pub entropy: Entropy,
    /// What seals keys and tags secrets.
    pub master: MasterKey,
    /// The threads that sign.
    pub pool: Pool,
    /// What happened, in memory.
    pub journal: Journal,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What clients did since it was last written down.
    pub usage: Usage,
    /// What is revoked.
    pub revocations: Revocations,
    ring: ArcSwap<KeyRing>,
    changed: watch::Sender<i64>,
    seen: AtomicI64,
    heard: AtomicI64,
}

/// What a gate is built from.
pub struct Parts {
    /// The checked configuration.
    pub config: Config,
    /// Who the tokens say issued them.
    pub issuer: Issuer,
    /// The state.
    pub store: Arc<dyn Store>,
    /// What seals keys and tags secrets.
    pub master: MasterKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Gate {
    /// Puts the parts together and makes the keys ready.
    pub async fn assemble(parts: Parts) -> Result<Self, Failure> {
        let Parts { config, issuer, store, master, clock } = parts;
        // The head is read before the ring: a change in between is then seen twice rather than never.
        let head = store.head().await?;
        let ring = KeyRing::load(&*store, &master.wrapping, None).await?;
        let clients = CachedClients::new(Arc::clone(&store), u64::try_from(config.clients.cache_size).unwrap_or(u64::MAX));
        clients.learn_ids().await?;
        let revocations = Revocations::default();
        revocations.take_up(&*store, clock.now()).await?;

        Ok(Self {
            clients,
            client_jwks: ClientJwks::new(config.clients.jwks_uri_allow.clone()),
            pool: Pool::new(&config.signing),
            journal: Journal::new(&config.refusals),
            metrics: Arc::default(),
            entropy: Entropy::default(),
            usage: Usage::default(),
            revocations,
            ring: ArcSwap::from_pointee(ring),
            changed: watch::Sender::new(head),
            seen: AtomicI64::new(head),
            heard: AtomicI64::new(clock.now().micros()),
            config,
            issuer,
            store,
            clock,
            master,
        })
    }

    /// Applies changes with their audit lines, all or none, and takes them up here at once.
    pub async fn apply(&self, actor: &Actor, changes: Vec<Change>) -> Result<(), Failure> {
        let now = self.clock.now();
        let audited: Vec<_> = changes.into_iter().map(|change| change.by(actor.clone(), now)).collect();
        self.store.apply(&audited).await?;
        self.take_up_news().await
    }

    /// Drops what changed since the last look, here or on another node, from memory.
    pub async fn take_up_news(&self) -> Result<(), Failure> {
        let seen = self.seen.load(Ordering::Acquire);
        let head = self.store.head().await?;
        if head > seen {
            self.drop_what_changed(seen, head).await?;
        }
        self.heard.store(self.clock.now().micros(), Ordering::Release);
        Ok(())
    }

    async fn drop_what_changed(&self, seen: i64, head: i64) -> Result<(), Failure> {
        let news = self.store.news(seen, NEWS_AT_ONCE).await?;
        let subjects = || news.iter().map(|item| item.subject.as_ref());
        let too_many = u32::try_from(news.len()).is_ok_and(|count| count >= NEWS_AT_ONCE);

        if too_many || subjects().any(|subject| subject.is_none()) {
            self.clients.forget_all();
            self.clients.learn_ids().await?;
        }
        subjects().flatten().for_each(|subject| self.clients.forget(subject));
        if too_many
            || subjects().any(|subject| !matches!(subject, Some(Subject::Client(_) | Subject::Partner(_) | Subject::Revocation(_))))
        {
            let ring = KeyRing::load(&*self.store, &self.master.wrapping, Some(&self.ring.load())).await?;
            self.ring.store(Arc::new(ring));
        }
        if too_many || subjects().any(|subject| matches!(subject, Some(Subject::Revocation(_)) | None)) {
            self.revocations.take_up(&*self.store, self.clock.now()).await?;
        }
        // After too many changes everything was dropped, so all up to the head, which was read before, is taken up.
        let last = if too_many { head } else { news.last().map_or(seen, |item| item.seq) };
        self.seen.fetch_max(last, Ordering::AcqRel);
        self.changed.send_replace(last);
        Ok(())
    }

    /// Tells when something changed: wakes those who wait for news.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }

    /// The keys as they are now.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }

    /// When the store last answered a question for news.
    pub fn heard(&self) -> Timestamp {
        Timestamp::from_micros(self.heard.load(Ordering::Acquire))
    }
}

/// More changes than this at once are not followed one by one.
const NEWS_AT_ONCE: u32 = 1_000;
