//! This file is where a store's look-ups of clients can be held up and failed, to see what the cache does meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use gatepost_core::apis::{ApiAccess, ApiId, ApiWithScopes};
use gatepost_core::audit::AuditLine;
use gatepost_core::change::{AuditedChange, Basis, Subject};
use gatepost_core::clients::{Client, ClientId, ClientRecord, StoredSecret};
use gatepost_core::keys::StoredKey;
use gatepost_core::limits::{Day, Issued, Month};
use gatepost_core::name::Slug;
use gatepost_core::partners::{Partner, PartnerId};
use gatepost_core::time::Timestamp;
use gatepost_core::tokens::revoke::Revocation;
use gatepost_core::usage::{ClientUsage, Hour, SecretUsage};
use gatepost_store::{Apis, Assertions, Audit, Clients, Counts, Expiry, Keys, News, Page, Partners};
use gatepost_store::{Revocations, Store, StoreError, UsageLog};
use tokio::sync::Semaphore;

/// A store whose look-ups of clients read at once but answer only when a permit is there.
pub(crate) struct Gated {
    pub(crate) inner: Arc<dyn Store>,
    /// One permit lets one answer out.
    pub(crate) gate: Semaphore,
    /// How many look-ups have read and wait at the gate, or have passed it.
    pub(crate) read: Semaphore,
    pub(crate) fails: AtomicBool,
    /// How many statements read clients.
    pub(crate) statements: AtomicUsize,
}

impl Gated {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        let (gate, read) = (Semaphore::new(0), Semaphore::new(0));
        Arc::new(Self { inner, gate, read, fails: AtomicBool::new(false), statements: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Clients for Gated {
    async fn client_records(&self, ids: &[ClientId]) -> Result<Vec<ClientRecord>, StoreError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let found = self.inner.client_records(ids).await;
        self.read.add_permits(ids.len());
        self.gate.acquire().await.unwrap().forget();
        match self.fails.load(Ordering::Relaxed) {
            true => Err(StoreError::Unavailable("it is away".to_owned())),
            false => found,
        }
    }
    async fn clients(&self, partner: Option<PartnerId>, page: Page) -> Result<Vec<Client>, StoreError> {
        self.inner.clients(partner, page).await
    }
    async fn client_ids(&self, after: Option<&ClientId>, limit: u32) -> Result<Vec<ClientId>, StoreError> {
        self.inner.client_ids(after, limit).await
    }

    async fn secrets(&self, client: &ClientId) -> Result<Vec<StoredSecret>, StoreError> {
        self.inner.secrets(client).await
    }
}

#[async_trait]
impl Store for Gated {
    async fn apply_on(&self, basis: Option<&Basis>, changes: &[AuditedChange]) -> Result<i64, StoreError> {
        self.inner.apply_on(basis, changes).await
    }
    async fn counts(&self) -> Result<Counts, StoreError> {
        self.inner.counts().await
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
    async fn engine(&self) -> Result<String, StoreError> {
        self.inner.engine().await
    }
    async fn soundness(&self) -> Result<gatepost_store::Soundness, StoreError> {
        self.inner.soundness().await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Partners for Gated {
    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>, StoreError> {
        self.inner.partner(id).await
    }
    async fn partner_by_slug(&self, slug: &Slug) -> Result<Option<Partner>, StoreError> {
        self.inner.partner_by_slug(slug).await
    }
    async fn partners(&self, page: Page) -> Result<Vec<Partner>, StoreError> {
        self.inner.partners(page).await
    }
}

#[async_trait]
impl Apis for Gated {
    async fn apis(&self) -> Result<Vec<ApiWithScopes>, StoreError> {
        self.inner.apis().await
    }
    async fn api_access(&self) -> Result<Vec<ApiAccess>, StoreError> {
        self.inner.api_access().await
    }
    async fn api_secrets(&self, api: ApiId) -> Result<Vec<StoredSecret>, StoreError> {
        self.inner.api_secrets(api).await
    }
}

#[async_trait]
impl Expiry for Gated {
    async fn expiring(&self, until: Timestamp, limit: u32) -> Result<Vec<(Subject, Timestamp)>, StoreError> {
        self.inner.expiring(until, limit).await
    }
}

#[async_trait]
impl Keys for Gated {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.inner.keys().await
    }
    async fn master_key_check(&self) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        self.inner.master_key_check().await
    }
}

#[async_trait]
impl Revocations for Gated {
    async fn revocations(
        &self,
        seq: i64,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(i64, Revocation)>, StoreError> {
        self.inner.revocations(seq, now, limit).await
    }
    async fn forget_revocations(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.forget_revocations(now, limit).await
    }
}

#[async_trait]
impl Assertions for Gated {
    async fn remember_once(
        &self,
        client: &ClientId,
        jti: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.inner.remember_once(client, jti, until).await
    }
    async fn forget_assertions(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.forget_assertions(now, limit).await
    }
}

#[async_trait]
impl UsageLog for Gated {
    async fn add_usage(&self, clients: &[ClientUsage], secrets: &[SecretUsage]) -> Result<(), StoreError> {
        self.inner.add_usage(clients, secrets).await
    }
    async fn usage(
        &self,
        client: Option<&ClientId>,
        from: Hour,
        to: Hour,
    ) -> Result<Vec<ClientUsage>, StoreError> {
        self.inner.usage(client, from, to).await
    }
    async fn issued(
        &self,
        clients: &[ClientId],
        day: Day,
        month: Month,
    ) -> Result<Vec<(ClientId, Issued)>, StoreError> {
        self.inner.issued(clients, day, month).await
    }
    async fn secret_usage(&self, client: &ClientId) -> Result<Vec<SecretUsage>, StoreError> {
        self.inner.secret_usage(client).await
    }
    async fn add_api_usage(&self, secrets: &[SecretUsage]) -> Result<(), StoreError> {
        self.inner.add_api_usage(secrets).await
    }
    async fn api_secret_usage(&self, api: ApiId) -> Result<Vec<SecretUsage>, StoreError> {
        self.inner.api_secret_usage(api).await
    }
    async fn forget_usage(&self, before: Hour, limit: u32) -> Result<u64, StoreError> {
        self.inner.forget_usage(before, limit).await
    }
}

#[async_trait]
impl Audit for Gated {
    async fn head(&self) -> Result<i64, StoreError> {
        self.inner.head().await
    }
    async fn news(&self, seq: i64, limit: u32) -> Result<Vec<News>, StoreError> {
        self.inner.news(seq, limit).await
    }
    async fn audit_lines(&self, seq: i64, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        self.inner.audit_lines(seq, limit).await
    }
}
