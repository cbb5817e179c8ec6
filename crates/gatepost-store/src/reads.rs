//! This file is where reads of clients that come at the same time are made together.
//!
//! The idea: a few reads go out at once; who comes while they are under way waits, and all who wait are read by one
//! statement. A storm of clients that are not in memory costs a statement for dozens, and nobody waits for company.
//! The limit: who waits, waits for the statement under way and his own. The price: a statement that fails, fails for all
//! whom it was for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::clients::{ClientId, ClientRecord};
use tokio::sync::oneshot;

use crate::{Store, StoreError};

/// Statements under way at a time: each is a hand-over to another thread, and what it costs is shared by those who gather
/// meanwhile. Two, so that one that hangs holds up those alone that it reads.
const ABREAST: usize = 2;
/// Clients of one statement.
const AT_ONCE: usize = 128;

type Found = Result<Option<Arc<ClientRecord>>, StoreError>;

/// Reads clients from the store, those that wait together by one statement.
pub(crate) struct Reads {
    store: Arc<dyn Store>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: usize,
    waiting: Vec<Waiting>,
}

struct Waiting {
    id: ClientId,
    answer: oneshot::Sender<Found>,
}

impl Reads {
    /// Reads of that store.
    pub(crate) fn of(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, state: Mutex::default() })
    }

    /// Reads one client.
    pub(crate) async fn one(self: &Arc<Self>, id: &ClientId) -> Found {
        let (answer, answered) = oneshot::channel();
        if let Some(reader) = self.join(Waiting { id: id.clone(), answer }) {
            tokio::spawn(reader.work());
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the read was given up".to_owned())))
    }

    /// Waits with the others, and becomes a reader if there are not enough.
    fn join(self: &Arc<Self>, waiting: Waiting) -> Option<Reader> {
        let mut state = self.state();
        state.waiting.push(waiting);
        if state.under_way >= ABREAST {
            return None;
        }
        state.under_way += 1;
        Some(Reader { reads: Arc::clone(self), is_counted: true })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that reads until nobody waits.
struct Reader {
    reads: Arc<Reads>,
    is_counted: bool,
}

impl Reader {
    async fn work(mut self) {
        while let Some(batch) = self.next() {
            // Who has gone meanwhile needs no answer; the others get that of their id.
            let mut answers: HashMap<ClientId, Vec<oneshot::Sender<Found>>> = HashMap::new();
            for Waiting { id, answer } in batch.into_iter().filter(|waiting| !waiting.answer.is_closed()) {
                answers.entry(id).or_default().push(answer);
            }
            let ids: Vec<ClientId> = answers.keys().cloned().collect();
            if ids.is_empty() {
                continue;
            }
            match self.reads.store.client_records(&ids).await {
                Ok(records) => tell(answers, records),
                Err(error) => {
                    answers.into_values().flatten().for_each(|answer| drop(answer.send(Err(error.clone()))));
                }
            }
        }
    }

    /// Those who wait; nobody ends the reader, under the same lock, so that who comes then makes a new one.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut state = self.reads.state();
        if state.waiting.is_empty() {
            state.under_way -= 1;
            self.is_counted = false;
            return None;
        }
        let some = state.waiting.len().min(AT_ONCE);
        Some(state.waiting.drain(..some).collect())
    }
}

/// A reader that breaks off must not be counted for ever.
impl Drop for Reader {
    fn drop(&mut self) {
        if self.is_counted {
            self.reads.state().under_way -= 1;
        }
    }
}

fn tell(mut answers: HashMap<ClientId, Vec<oneshot::Sender<Found>>>, records: Vec<ClientRecord>) {
    for record in records {
        let waiting = answers.remove(&record.client.id).unwrap_or_default();
        let record = Arc::new(record);
        waiting.into_iter().for_each(|answer| drop(answer.send(Ok(Some(Arc::clone(&record))))));
    }
    answers.into_values().flatten().for_each(|answer| drop(answer.send(Ok(None))));
}
