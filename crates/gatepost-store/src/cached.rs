//! This file is where clients are kept in memory, so that a token costs no look-up.
//!
//! Only clients that were found are kept: made-up ids can't push real ones out. Of many requests for one client that is
//! not here, one reads and the others wait for it. What a read brings is kept only if the read is still expected when it
//! lands: `forget` strikes reads under way off the list, so that none puts back what was forgotten.
//! A server reads ahead, at its start and after changes, so that time does not tell who is in the store; beside the
//! requests, that is, and as many as there is room for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::change::Subject;
use gatepost_core::clients::{ClientId, ClientRecord};
use gatepost_core::partners::PartnerId;
use moka::sync::Cache;
use tokio::sync::OnceCell;

use crate::cold::{Cold, Wanted};
use crate::known_ids::{self, Known, KnownIds, Room};
use crate::reads::Reads;
use crate::{Store, StoreError};

type Found = Result<Option<Arc<ClientRecord>>, StoreError>;
/// Hears of each client that is read ahead.
pub type Meet<'a> = dyn Fn(&ClientRecord) + Send + Sync + 'a;
type Flight = Arc<OnceCell<Found>>;

/// How many ids are read at a time.
const IDS_AT_ONCE: u32 = 10_000;
/// How many clients are read ahead at a time.
const AHEAD_AT_ONCE: usize = 256;
/// How many clients are kept whole, a kilobyte each; of more than these the records are kept small.
const WHOLE: u64 = 10_000;

/// Clients in memory, at most as many as the capacity says.
pub struct CachedClients {
    store: Arc<dyn Store>,
    /// Records as they are: all of a store with few clients, of another those that have no place among the small ones.
    kept: Cache<ClientId, Arc<ClientRecord>>,
    whole: u64,
    capacity: u64,
    cold: Cold,
    /// Reads under way. Whoever changes what is kept holds this lock.
    flights: Mutex<HashMap<ClientId, Flight>>,
    known: KnownIds,
    store_reads: Arc<Reads>,
    lookups: AtomicU64,
    reads: AtomicU64,
}

impl CachedClients {
    /// Keeps at most `capacity` of the store's clients.
    pub fn new(store: Arc<dyn Store>, capacity: u64) -> Self {
        Self::with_whole(store, capacity, WHOLE)
    }

    /// The same, at most `whole` of them as they are.
    pub fn with_whole(store: Arc<dyn Store>, capacity: u64, whole: u64) -> Self {
        let (kept, flights) = (Cache::new(capacity.min(whole)), Mutex::default());
        let (lookups, reads) = (AtomicU64::new(0), AtomicU64::new(0));
        let store_reads = Reads::of(Arc::clone(&store));
        let (known, cold) = (KnownIds::default(), Cold::everyone());
        Self { store, kept, whole, capacity, cold, flights, known, store_reads, lookups, reads }
    }

    /// Reads the ids of all clients, so that unknown ones cost no read from now on.
    pub async fn learn_ids(&self) -> Result<(), StoreError> {
        let mut numbers = Vec::new();
        let mut last: Option<ClientId> = None;
        loop {
            let page = self.store.client_ids(last.as_ref(), IDS_AT_ONCE).await?;
            numbers.extend(page.iter().map(known_ids::number));
            let more = is_full(&page);
            last = page.into_iter().next_back();
            if !more {
                break;
            }
        }
        self.known.take(numbers, Room { whole: self.whole, small: self.capacity });
        Ok(())
    }

    /// Returns once someone is to be read ahead.
    pub async fn any_cold(&self) {
        self.cold.any().await;
    }

    /// Reads ahead whoever is to be, and says how many there were; whom it can't read it will read the next time.
    pub async fn warm(&self) -> Result<usize, StoreError> {
        self.warm_and(&|_: &ClientRecord| ()).await
    }

    /// The same, and lets each of them be met.
    pub async fn warm_and(&self, meet: &Meet<'_>) -> Result<usize, StoreError> {
        let wanted = self.cold.take();
        let outcome = match &wanted {
            Wanted::Everyone => self.warm_everyone(meet).await,
            Wanted::These(these) => {
                let ids: Vec<ClientId> = these.iter().cloned().collect();
                self.warm_these(&ids, meet).await
            }
        };
        if outcome.is_err() {
            self.cold.give_back(wanted);
        }
        outcome
    }

    async fn warm_everyone(&self, meet: &Meet<'_>) -> Result<usize, StoreError> {
        let (mut last, mut warmed): (Option<ClientId>, usize) = (None, 0);
        let mut room = usize::try_from(self.capacity).unwrap_or(usize::MAX);
        loop {
            let page = self.store.client_ids(last.as_ref(), IDS_AT_ONCE).await?;
            let some = page.get(..page.len().min(room)).unwrap_or_default();
            warmed = warmed.saturating_add(self.warm_these(some, meet).await?);
            room = room.saturating_sub(page.len());
            if room == 0 || !is_full(&page) {
                return Ok(warmed);
            }
            last = page.into_iter().next_back();
        }
    }

    async fn warm_these(&self, ids: &[ClientId], meet: &Meet<'_>) -> Result<usize, StoreError> {
        let mut warmed: usize = 0;
        for ids in ids.chunks(AHEAD_AT_ONCE) {
            let passengers: Vec<_> = ids.iter().filter_map(|id| self.board(id).passenger(meet)).collect();
            let missed: Vec<_> = passengers.iter().map(|passenger| passenger.id.clone()).collect();
            if missed.is_empty() {
                continue;
            }
            let read = self.store.client_records(&missed).await?;
            let mut found: HashMap<_, _> =
                read.into_iter().map(|record| (record.client.id.clone(), Arc::new(record))).collect();
            for passenger in passengers {
                let record = found.remove(passenger.id);
                record.iter().for_each(|record| meet(record));
                warmed = warmed.saturating_add(usize::from(record.is_some()));
                // Who came meanwhile may be reading it, which is as good.
                let _ = passenger.flight.set(Ok(record));
            }
        }
        Ok(warmed)
    }

    /// The client with all that authentication needs; from the store if it is not here.
    pub async fn record(&self, id: &ClientId) -> Result<Option<Arc<ClientRecord>>, StoreError> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        match self.known.look(id) {
            Known::Nobody => return Ok(None),
            Known::Record(record) => return Ok(Some(Arc::from(record))),
            Known::Perhaps => {}
        }
        if let Some(record) = self.kept.get(id) {
            return Ok(Some(record));
        }
        match self.board(id) {
            Boarded::Arrived(record) => Ok(Some(record)),
            // Boxed, so that the future of those who are here already is small.
            Boarded::Passenger(passenger) => {
                Box::pin(passenger.flight.get_or_init(|| self.read(id))).await.clone()
            }
        }
    }

    /// Drops what is known about the subject.
    pub fn forget(&self, subject: &Subject) {
        match subject {
            Subject::Client(id) => {
                let mut flights = self.under_way();
                self.known.changed(id);
                flights.remove(id);
                self.kept.invalidate(id);
                self.cold.note([id.clone()]);
            }
            Subject::Partner(id) => self.forget_partner(*id),
            // Records name APIs by ids, which never change, and hold nothing of tokens or of the server.
            Subject::Api(_) | Subject::Revocation(_) | Subject::Server => {}
        }
    }

    /// Drops everything.
    pub fn forget_all(&self) {
        let mut flights = self.under_way();
        self.known.forget();
        flights.clear();
        self.kept.invalidate_all();
        self.cold.note_everyone();
    }

    /// How often a client was asked for.
    pub fn lookups(&self) -> u64 {
        self.lookups.load(Ordering::Relaxed)
    }

    /// How often that took a read of the store.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn board<'a>(&'a self, id: &'a ClientId) -> Boarded<'a> {
        let mut flights = self.under_way();
        // Someone may have landed between the first look and the lock.
        if let Known::Record(record) = self.known.look(id) {
            return Boarded::Arrived(Arc::from(record));
        }
        if let Some(record) = self.kept.get(id) {
            return Boarded::Arrived(record);
        }
        let flight = Arc::clone(flights.entry(id.clone()).or_default());
        Boarded::Passenger(Passenger { cached: self, id, flight })
    }

    async fn read(&self, id: &ClientId) -> Found {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store_reads.one(id).await
    }

    fn forget_partner(&self, partner: PartnerId) {
        let mut flights = self.under_way();
        // Whose clients are being read is not known yet.
        self.cold.note(flights.drain().map(|(id, _)| id));
        if self.known.partner_changed(partner) > 0 {
            self.cold.note_everyone();
        }
        for (id, record) in &self.kept {
            if record.client.partner_id == partner {
                self.kept.invalidate(id.as_ref());
                self.cold.note([id.as_ref().clone()]);
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<ClientId, Flight>> {
        // No code that holds the lock can leave the list half-changed.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there may be more after such a page of ids.
fn is_full(page: &[ClientId]) -> bool {
    u32::try_from(page.len()).is_ok_and(|count| count >= IDS_AT_ONCE)
}

enum Boarded<'a> {
    Arrived(Arc<ClientRecord>),
    Passenger(Passenger<'a>),
}

impl<'a> Boarded<'a> {
    /// Who is not here yet; who is, is met.
    fn passenger(self, meet: &Meet<'_>) -> Option<Passenger<'a>> {
        match self {
            Self::Arrived(record) => {
                meet(&record);
                None
            }
            Self::Passenger(passenger) => Some(passenger),
        }
    }
}

/// One who waits for a read. Leaving, also by being dropped half-way, keeps the list of reads true.
struct Passenger<'a> {
    cached: &'a CachedClients,
    id: &'a ClientId,
    flight: Flight,
}

impl Drop for Passenger<'_> {
    fn drop(&mut self) {
        let mut flights = self.cached.under_way();
        if !flights.get(self.id).is_some_and(|listed| Arc::ptr_eq(listed, &self.flight)) {
            return;
        }
        match self.flight.get() {
            // The first to leave a read that has landed keeps what it brought.
            Some(found) => {
                match found {
                    Ok(Some(record)) if self.cached.known.keep(record) => {}
                    Ok(Some(record)) => self.cached.kept.insert(self.id.clone(), Arc::clone(record)),
                    Ok(None) => self.cached.known.not_found(self.id),
                    Err(_) => {}
                }
                flights.remove(self.id);
            }
            // Only the list and this one know of the read: all others have given up.
            None if Arc::strong_count(&self.flight) == 2 => {
                flights.remove(self.id);
            }
            None => {}
        }
    }
}
