//! This file is where signing threads take work from the fair queue, and answer what it sheds.
//!
//! No lock is held while a signature is made or an answer is sent.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use gatepost_core::clients::ClientId;
use gatepost_jose::{KeyError, SigningKey};
use tokio::sync::oneshot;

use super::fair_queue::{Cost, FairQueue, Places, Taken, Wanted};
use super::shed::{Patience, Shed};
use crate::config::Signing;
use crate::telemetry::metrics::Metrics;

/// Signs with a bounded number of threads, fairly by client.
pub struct Pool {
    desk: Arc<Desk>,
    threads: usize,
    running: OnceLock<Vec<JoinHandle<()>>>,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// More was asked for than can be signed in time.
    #[error(transparent)]
    Shed(#[from] Shed),
    /// The key refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Where work is handed over.
struct Desk {
    opened: Instant,
    state: Mutex<State>,
    more: Condvar,
    metrics: Arc<Metrics>,
}

struct State {
    queue: FairQueue<Job>,
    closed: bool,
}

struct Job {
    key: Arc<SigningKey>,
    text: String,
    answer: oneshot::Sender<Result<(String, Vec<u8>), NotSigned>>,
}

impl Wanted for Job {
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }
}

impl Pool {
    /// A pool with those bounds; its threads start with the first RSA signature.
    pub fn new(bounds: &Signing, metrics: Arc<Metrics>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if bounds.threads == 0 { cores } else { bounds.threads };
        let places = Places { all: bounds.queue, per_client: bounds.per_client };
        let patience = Patience::new(bounds.target, bounds.deadline);
        let state = Mutex::new(State { queue: FairQueue::new(places, patience), closed: false });
        let desk = Desk { opened: Instant::now(), state, more: Condvar::new(), metrics };
        Self { desk: Arc::new(desk), threads, running: OnceLock::new() }
    }

    /// Signs `text` for a client, and gives the text back with its signature.
    pub async fn sign(
        &self,
        key: &Arc<SigningKey>,
        text: String,
        client: &ClientId,
    ) -> Result<(String, Vec<u8>), NotSigned> {
        if key.algorithm().signs_inline() {
            let signature = key.sign(text.as_bytes())?;
            return Ok((text, signature));
        }
        self.running.get_or_init(|| self.start());

        let (answer, signed) = oneshot::channel();
        self.desk.push(client, Job { key: Arc::clone(key), text, answer })?;
        signed.await.unwrap_or(Err(NotSigned::Shed(Shed::Late)))
    }

    /// How many signatures wait.
    pub fn waiting(&self) -> usize {
        self.desk.lock().queue.waiting()
    }

    fn start(&self) -> Vec<JoinHandle<()>> {
        let start = |number: usize| {
            let desk = Arc::clone(&self.desk);
            let thread = Builder::new().name(format!("sign-{number}")).stack_size(256 * 1024);
            thread.spawn(move || desk.work())
        };
        let (started, failed): (Vec<_>, Vec<_>) = (0..self.threads).map(start).partition(Result::is_ok);
        if !failed.is_empty() {
            tracing::error!(
                missing = failed.len(),
                "signing threads could not be started; signing is slower"
            );
        }
        started.into_iter().flatten().collect()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Nobody waits for an answer any more: whoever does holds the pool.
        self.desk.lock().closed = true;
        self.desk.more.notify_all();
        for thread in self.running.take().into_iter().flatten() {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the desk was opened.
    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn push(&self, client: &ClientId, job: Job) -> Result<(), Shed> {
        let cost = Cost::of_rsa(job.key.signature_len(), job.key.primes());
        let mut state = self.lock();
        let pushed = state.queue.push(client, job, cost, self.now());
        drop(state);
        match pushed {
            Ok(()) => self.more.notify_one(),
            Err((_, why)) => {
                self.metrics.shed(why);
                return Err(why);
            }
        }
        Ok(())
    }

    fn work(&self) {
        let mut shed = Vec::new();
        while let Some(taken) = self.next(&mut shed) {
            for (job, why) in shed.drain(..) {
                self.metrics.shed(why);
                let _ = job.answer.send(Err(NotSigned::Shed(why)));
            }
            if let Some(Taken { job: Job { key, text, answer }, waited }) = taken {
                self.metrics.waited_to_sign(waited);
                let signed = key.sign(text.as_bytes()).map_err(NotSigned::from);
                let _ = answer.send(signed.map(|signature| (text, signature)));
            }
        }
    }

    /// Waits for something to sign or to shed; nothing when the desk is closed.
    fn next(&self, shed: &mut Vec<(Job, Shed)>) -> Option<Option<Taken<Job>>> {
        let mut state = self.lock();
        loop {
            let taken = state.queue.take(self.now(), shed);
            if taken.is_some() || !shed.is_empty() {
                return Some(taken);
            }
            if state.closed {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_jose::{Algorithm, RsaBits};

    use super::*;

    fn key(algorithm: Algorithm) -> Arc<SigningKey> {
        Arc::new(SigningKey::generate(algorithm, RsaBits::B2048).unwrap())
    }

    fn bounds() -> Signing {
        Signing {
            threads: 1,
            queue: 64,
            per_client: 8,
            target: Duration::from_secs(20),
            deadline: Duration::from_secs(30),
        }
    }

    fn pool(bounds: &Signing) -> Arc<Pool> {
        Arc::new(Pool::new(bounds, Arc::default()))
    }

    fn client(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    /// Asks for that many signatures at once and waits for what becomes of them.
    async fn flood(pool: &Arc<Pool>, count: usize) -> Vec<Result<(String, Vec<u8>), NotSigned>> {
        let key = key(Algorithm::Rs256);
        let ask = || {
            let (pool, key) = (Arc::clone(pool), Arc::clone(&key));
            tokio::spawn(async move { pool.sign(&key, "text".into(), &client("c")).await })
        };
        let asked: Vec<_> = (0..count).map(|_| ask()).collect();
        let mut outcomes = Vec::new();
        for handle in asked {
            outcomes.push(handle.await.unwrap());
        }
        outcomes
    }

    #[tokio::test]
    async fn text_comes_back_with_a_signature_that_verifies() {
        let pool = pool(&bounds());
        for algorithm in Algorithm::ALL {
            let key = key(algorithm);
            let (text, signature) = pool.sign(&key, "text".into(), &client("c")).await.unwrap();
            assert_eq!(text, "text");
            key.public().verify(b"text", &signature).unwrap();
        }
    }

    #[tokio::test]
    async fn work_past_its_deadline_is_refused_unsigned() {
        let pool = pool(&Signing { deadline: Duration::ZERO, ..bounds() });

        let outcome = pool.sign(&key(Algorithm::Rs256), "text".into(), &client("c")).await;

        assert_eq!(outcome, Err(NotSigned::Shed(Shed::Late)));
        assert_eq!(pool.desk.metrics.snapshot().shed, [0, 0, 0, 1]);
    }

    #[tokio::test]
    async fn what_one_client_may_not_let_wait_is_refused_at_once_and_counted() {
        let pool = pool(&bounds());

        let outcomes = flood(&pool, 64).await;

        let refused = outcomes.iter().filter(|one| **one == Err(NotSigned::Shed(Shed::Client))).count();
        let counts = pool.desk.metrics.snapshot();
        assert!(refused > 0 && outcomes.iter().filter(|one| one.is_ok()).count() == 64 - refused);
        assert_eq!((counts.shed, counts.waits.count), ([refused as u64, 0, 0, 0], 64 - refused as u64));
        assert_eq!(pool.waiting(), 0);
    }
}
