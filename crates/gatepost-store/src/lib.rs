//! What Gatepost remembers: the contract that every storage engine fulfils, and the one place that names the engines.
//!
//! Reads are plain; every change goes through [`Store::apply`], which writes the rows and their audit lines in one
//! transaction. No token is ever written here.

mod cached;
mod cells;
mod cold;
mod conflicts;
mod error;
mod group_commit;
mod known_ids;
mod location;
mod migrations;
mod packed;
mod page;
mod postgres;
mod reads;
mod rows;
mod slots;
mod sorted_ids;
mod sqlite;
mod terms;
mod usage;

use std::sync::Arc;

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

pub use cached::{CachedClients, Meet};
pub use error::StoreError;
pub use location::{Address, Location};
pub use page::Page;

/// Opens the store, bringing its schema up to date.
pub async fn open(location: &Location, connections: u32) -> Result<Arc<dyn Store>, StoreError> {
    match location {
        Location::Sqlite(path) => Ok(Arc::new(sqlite::open(path, connections).await?)),
        Location::Postgres(address) => Ok(Arc::new(postgres::open(&address.0, connections).await?)),
    }
}

/// All that the state holds, and the one way to change it.
#[async_trait]
pub trait Store:
    Partners + Apis + Clients + Expiry + Keys + Revocations + Assertions + UsageLog + Audit + Send + Sync
{
    /// Applies the changes with their audit lines, all or none; returns the sequence number of the last.
    ///
    /// A row that has moved on since the change was decided, or a name that is taken, is [`StoreError::Conflict`];
    /// a row that is gone is [`StoreError::NotFound`].
    async fn apply(&self, changes: &[AuditedChange]) -> Result<i64, StoreError> {
        self.apply_on(None, changes).await
    }

    /// Like [`Store::apply`], but only if the row that the changes were decided on has not moved on since; it does now.
    async fn apply_on(&self, basis: Option<&Basis>, changes: &[AuditedChange]) -> Result<i64, StoreError>;

    /// How much there is.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Asks the engine for a sign of life.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The engine and its version, for people: `SQLite 3.51.3`.
    async fn engine(&self) -> Result<String, StoreError>;

    /// Looks whether what lies on the disk is sound, as far as the engine can tell; reads all of it where that is needed.
    async fn soundness(&self) -> Result<Soundness, StoreError>;

    /// Closes all connections after the work under way.
    async fn close(&self);
}

/// Partners, read.
#[async_trait]
pub trait Partners {
    /// The partner with this id.
    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>, StoreError>;

    /// The partner with this slug.
    async fn partner_by_slug(&self, slug: &Slug) -> Result<Option<Partner>, StoreError>;

    /// Partners in order of their slugs.
    async fn partners(&self, page: Page) -> Result<Vec<Partner>, StoreError>;
}

/// APIs with their scopes, read.
#[async_trait]
pub trait Apis {
    /// All APIs in order of their names.
    async fn apis(&self) -> Result<Vec<ApiWithScopes>, StoreError>;

    /// How every API authenticates and its route table; secrets that have ended are left out.
    async fn api_access(&self) -> Result<Vec<ApiAccess>, StoreError>;

    /// All secrets of an API in order of their creation, ended ones too.
    async fn api_secrets(&self, api: ApiId) -> Result<Vec<StoredSecret>, StoreError>;
}

/// Clients and their secrets, read.
#[async_trait]
pub trait Clients {
    /// The clients of these ids with all that authentication needs, by one statement and in order of their ids; ids
    /// without a client and secrets that have ended are left out.
    async fn client_records(&self, ids: &[ClientId]) -> Result<Vec<ClientRecord>, StoreError>;

    /// One client with all that authentication needs.
    async fn client_record(&self, id: &ClientId) -> Result<Option<ClientRecord>, StoreError> {
        Ok(self.client_records(std::slice::from_ref(id)).await?.pop())
    }

    /// Clients in order of their creation, of one partner or of all.
    async fn clients(&self, partner: Option<PartnerId>, page: Page) -> Result<Vec<Client>, StoreError>;

    /// The ids of all clients after `after`, in their order, at most `limit`.
    async fn client_ids(&self, after: Option<&ClientId>, limit: u32) -> Result<Vec<ClientId>, StoreError>;

    /// All secrets of a client in order of their creation, ended ones too.
    async fn secrets(&self, client: &ClientId) -> Result<Vec<StoredSecret>, StoreError>;
}

/// What is to expire, read.
#[async_trait]
pub trait Expiry {
    /// The active clients and partners that expire up to `until` or have, soonest first, at most `limit`.
    async fn expiring(&self, until: Timestamp, limit: u32) -> Result<Vec<(Subject, Timestamp)>, StoreError>;
}

/// Signing keys, read.
#[async_trait]
pub trait Keys {
    /// All keys in order of their creation.
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// The pepper that this state belongs to and the tag of the known text under it; `None` in an empty store.
    async fn master_key_check(&self) -> Result<Option<(String, Vec<u8>)>, StoreError>;
}

/// What was revoked, until it would have expired by itself.
#[async_trait]
pub trait Revocations {
    /// The revocations that changes after `seq` brought, in order, at most `limit`; those over at `now` are left out.
    async fn revocations(
        &self,
        seq: i64,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(i64, Revocation)>, StoreError>;

    /// Forgets revocations that are over at `now`, at most `limit`; returns how many. Needs no audit line.
    async fn forget_revocations(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// The ids of client assertions that were used (RFC 7523 section 3), each until it would have expired by itself.
#[async_trait]
pub trait Assertions {
    /// Remembers that `client` used `jti`; `false` if it did before. True is durable: once said, a replay is refused,
    /// restart included, and of many at the same moment exactly one hears it. Those that wait together are written together.
    async fn remember_once(&self, client: &ClientId, jti: &str, until: Timestamp)
    -> Result<bool, StoreError>;

    /// Forgets what is over at `now`, at most `limit`; returns how many.
    async fn forget_assertions(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Counters by client and hour, and the last use of each secret: written in batches, without audit lines.
#[async_trait]
pub trait UsageLog {
    /// Adds the counts to what is stored, all or none; a secret or client that is gone is passed over.
    async fn add_usage(&self, clients: &[ClientUsage], secrets: &[SecretUsage]) -> Result<(), StoreError>;

    /// The counts from hour `from` on up to and with `to`, of one client or of all, in order of hour and client.
    async fn usage(
        &self,
        client: Option<&ClientId>,
        from: Hour,
        to: Hour,
    ) -> Result<Vec<ClientUsage>, StoreError>;

    /// How many tokens each of `clients` got on that day and in that month; one that got none may be left out.
    async fn issued(
        &self,
        clients: &[ClientId],
        day: Day,
        month: Month,
    ) -> Result<Vec<(ClientId, Issued)>, StoreError>;

    /// The last uses of a client's secrets.
    async fn secret_usage(&self, client: &ClientId) -> Result<Vec<SecretUsage>, StoreError>;

    /// Adds uses of API secrets to what is stored, all or none; a secret that is gone is passed over.
    async fn add_api_usage(&self, secrets: &[SecretUsage]) -> Result<(), StoreError>;

    /// The last uses of an API's secrets.
    async fn api_secret_usage(&self, api: ApiId) -> Result<Vec<SecretUsage>, StoreError>;

    /// Forgets the counts of hours before `before`, at most `limit` rows; returns how many.
    async fn forget_usage(&self, before: Hour, limit: u32) -> Result<u64, StoreError>;
}

/// The audit trail, and the news that it doubles as.
#[async_trait]
pub trait Audit {
    /// The sequence number of the last applied change, 0 in an empty store.
    async fn head(&self) -> Result<i64, StoreError>;

    /// What was changed after `seq`, in order, at most `limit`.
    async fn news(&self, seq: i64, limit: u32) -> Result<Vec<News>, StoreError>;

    /// The audit lines after `seq`, in order, at most `limit`.
    async fn audit_lines(&self, seq: i64, limit: u32) -> Result<Vec<AuditLine>, StoreError>;
}

/// What an engine says of the soundness of what lies on its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// Nothing is wrong; the text says what was looked at.
    Sound(String),
    /// The engine would not notice; the text says why.
    Unguarded(String),
    /// Something is wrong: the first findings.
    Damaged(String),
}

/// How many rows of the nouns that grow there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Partners, suspended ones too.
    pub partners: u64,
    /// Clients, suspended ones too.
    pub clients: u64,
}

/// One applied change, as followers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its place in the order of commits.
    pub seq: i64,
    /// What it happened to; `None` when a newer version wrote something that this one does not know.
    pub subject: Option<Subject>,
}
