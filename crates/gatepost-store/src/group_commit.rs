//! This file is where the ids of client assertions that wait together are written together.
//!
//! The idea: one task writes. While the disk is busy with one batch the next gathers, so that the cost of a durable
//! commit is shared by all who came meanwhile, and nobody waits for company. The limit: a bounded queue; who finds it
//! full is sent away. The price: a batch fails as a whole, so nothing that a client chose may make a row unwritable:
//! its id is kept as a digest.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use gatepost_core::clients::ClientId;
use gatepost_core::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;

/// How many may wait. A batch takes all of them, so nobody waits longer than two batches take.
const MOST: usize = 1_024;

/// What an assertion is told apart by: its client and the SHA-256 of its id.
pub(crate) type Key = (ClientId, [u8; SHA256_OUTPUT_LEN]);

/// The assertions of one batch, each once, with the ends of their lives. Engines write them in this order: two nodes that
/// write the same ones in different orders could wait for each other.
pub(crate) type Batch = BTreeMap<Key, Timestamp>;

/// An engine that remembers assertions.
#[async_trait]
pub(crate) trait Remember: Send + Sync + 'static {
    /// Writes those that are not there, in one durable transaction, and returns them.
    async fn remember(&self, batch: &Batch) -> Result<BTreeSet<Key>, StoreError>;
}

/// The way to the task that writes. The task ends when this is dropped.
pub(crate) struct GroupCommit {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    key: Key,
    until: Timestamp,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<bool, StoreError>>;

impl GroupCommit {
    /// Starts the task.
    pub(crate) fn start(engine: impl Remember) -> Self {
        let (queue, waiting) = mpsc::channel(MOST);
        tokio::spawn(write(engine, waiting));
        Self { queue }
    }

    /// Whether this is the first time that the client used `jti`; if so, it is durably written.
    pub(crate) async fn once(
        &self,
        client: &ClientId,
        jti: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { key: key(client, jti)?, until, answer }).map_err(|refused| {
            match refused {
                mpsc::error::TrySendError::Full(_) => {
                    unavailable("more client assertions wait than it can write; try again")
                }
                mpsc::error::TrySendError::Closed(_) => stopped(),
            }
        })?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn write(engine: impl Remember, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, MOST).await > 0 {
        let (batch, answers) = sorted(waiting.drain(..));
        if batch.is_empty() {
            continue;
        }
        match engine.remember(&batch).await {
            Ok(new) => tell(answers, &new),
            Err(error) => {
                // Who has gone meanwhile needs no answer.
                answers.into_values().flatten().for_each(|answer| drop(answer.send(Err(error.clone()))));
            }
        }
    }
}

/// The batch, and who waits for each of its rows, in the order they came. Who has gone already takes no part.
fn sorted(waiting: impl Iterator<Item = Waiting>) -> (Batch, BTreeMap<Key, Vec<Answer>>) {
    let (mut batch, mut answers) = (Batch::new(), BTreeMap::<Key, Vec<Answer>>::new());
    for Waiting { key, until, answer } in waiting.filter(|waiting| !waiting.answer.is_closed()) {
        batch.entry(key.clone()).or_insert(until);
        answers.entry(key).or_default().push(answer);
    }
    (batch, answers)
}

/// Of those who wait for a new row the first hears `true`; all others hear `false`.
fn tell(answers: BTreeMap<Key, Vec<Answer>>, new: &BTreeSet<Key>) {
    for (key, waiting) in answers {
        let mut is_new = new.contains(&key);
        for answer in waiting {
            // Who has gone meanwhile has heard nothing: then the next one is the first.
            is_new &= answer.send(Ok(is_new)).is_err();
        }
    }
}

fn key(client: &ClientId, jti: &str) -> Result<Key, StoreError> {
    let digest = digest(&SHA256, jti.as_bytes());
    let digest = digest.as_ref().try_into().map_err(|_| unavailable("no SHA-256 of the assertion's id"))?;
    Ok((client.clone(), digest))
}

fn stopped() -> StoreError {
    unavailable("it has been closed")
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}
