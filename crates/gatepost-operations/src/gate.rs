//! This file is where the parts that operations share are held together: store, keys, clock, chance, signing threads.

use std::sync::Arc;

use arc_swap::ArcSwap;
use gatepost_core::issuer::Issuer;
use gatepost_store::{CachedClients, Store};

use crate::client_jwks::sets::ClientJwks;
use crate::clock::Clock;
use crate::config::Config;
use crate::data_folder;
use crate::entropy::Entropy;
use crate::expiry::soon::Expiries;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::key_ring::{KeyRing, RingRows};
use crate::limits::counts::Limits;
use crate::master_key::MasterKey;
use crate::master_key::belonging::belonging;
use crate::news::followed::Followed;
use crate::revocations::memory::Revocations;
use crate::signing::Pool;
use crate::telemetry::metrics::Metrics;
use crate::usage::pending::Usage;

/// Everything an operation may need; what edges have no business with is closed to them.
pub struct Gate {
    /// The checked configuration.
    pub config: Config,
    /// Who the tokens say issued them.
    pub issuer: Issuer,
    /// The state.
    pub(crate) store: Arc<dyn Store>,
    /// The clients that were asked for lately.
    pub(crate) clients: CachedClients,
    /// The key sets that clients publish at addresses of their own.
    pub client_jwks: ClientJwks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The chance.
    pub entropy: Entropy,
    /// What seals keys and tags secrets.
    master: ArcSwap<MasterKey>,
    /// The threads that sign.
    pub(crate) pool: Pool,
    /// What happened, in memory.
    pub(crate) journal: Journal,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What clients did since it was last written down.
    pub(crate) usage: Usage,
    /// How much clients and addresses take.
    pub(crate) limits: Limits,
    /// What is revoked.
    pub revocations: Revocations,
    /// What expires soon.
    pub expiries: Expiries,
    /// How far this node has followed the changes.
    pub followed: Followed,
    ring: ArcSwap<KeyRing>,
}

/// What a gate is built from.
pub(crate) struct Parts {
    /// The checked configuration.
    pub(crate) config: Config,
    /// Who the tokens say issued them.
    pub(crate) issuer: Issuer,
    /// The state.
    pub(crate) store: Arc<dyn Store>,
    /// What seals keys and tags secrets.
    pub(crate) master: MasterKey,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Gate {
    /// Puts the parts together and makes the keys ready.
    pub(crate) async fn assemble(parts: Parts) -> Result<Self, Failure> {
        let Parts { config, issuer, store, master, clock } = parts;
        let asked = clock.steady();
        // The head is read before the ring: a change in between is then seen twice rather than never.
        let head = store.head().await?;
        let ring = KeyRing::of(RingRows::read(&*store).await?, &master.wrapping, None)?;
        let clients = CachedClients::new(
            Arc::clone(&store),
            u64::try_from(config.clients.cache_size).unwrap_or(u64::MAX),
        );
        clients.learn_ids().await?;
        let revocations = Revocations::default();
        revocations.take_up(&*store, clock.now()).await?;
        let expiries = Expiries::default();
        expiries.take_up(&*store, clock.now()).await?;

        let metrics = Arc::<Metrics>::default();
        Ok(Self {
            clients,
            client_jwks: ClientJwks::new(config.clients.jwks_uri_allow.clone()),
            pool: Pool::new(&config.signing, Arc::clone(&metrics)),
            journal: Journal::new(&config.refusals),
            metrics,
            entropy: Entropy::default(),
            usage: Usage::default(),
            limits: Limits::default(),
            revocations,
            expiries,
            ring: ArcSwap::from_pointee(ring),
            followed: Followed::up_to(head, asked),
            config,
            issuer,
            store,
            clock,
            master: ArcSwap::from_pointee(master),
        })
    }

    /// Reads the keys again; those that stay are not parsed again.
    ///
    /// A key that is sealed under a wrapping key that is not known here was sealed by someone who has put that one into
    /// the master key file since: the file is read again, and taken up if it belongs to this store.
    pub(crate) async fn reload_ring(&self) -> Result<(), Failure> {
        let rows = RingRows::read(&*self.store).await?;
        let known = self.master();
        let newer =
            if rows.are_sealed_under(&known.wrapping) { None } else { Some(self.read_master().await?) };
        let master = newer.as_ref().unwrap_or(&known);

        let ring = KeyRing::of(rows, &master.wrapping, Some(&self.ring.load()))?;
        if let Some(newer) = newer {
            tracing::info!("the master key file was read again: it has a new wrapping key");
            self.master.store(newer);
        }
        self.ring.store(Arc::new(ring));
        Ok(())
    }

    /// The master key file as it is now, looked at as at the start.
    async fn read_master(&self) -> Result<Arc<MasterKey>, Failure> {
        data_folder::check(&self.config.data)?;
        Ok(Arc::new(belonging(&*self.store, &self.config).await?))
    }

    /// Lets go of the store, after the work under way.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// What seals keys and tags secrets, as it is now.
    pub(crate) fn master(&self) -> Arc<MasterKey> {
        self.master.load_full()
    }

    /// The keys as they are now.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }
}
