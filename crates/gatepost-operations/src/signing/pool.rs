//! This file is where signing threads take work from the fair queue, and answer what it sheds.
//!
//! No lock is held while a signature is made or an answer is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use gatepost_core::clients::ClientId;
use gatepost_jose::{KeyError, SigningKey};
use tokio::sync::oneshot;

use super::cost::Cost;
use super::fair_queue::{FairQueue, Taken, Wanted};
use super::shed::Shed;
use crate::config::Signing;
use crate::telemetry::metrics::Metrics;

/// Signs with a bounded number of threads, fairly by client.
pub struct Pool {
    desk: Arc<Desk>,
    running: OnceLock<Vec<JoinHandle<()>>>,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// More was asked for than can be signed in time.
    #[error("{why}")]
    Shed {
        /// Which bound it met.
        why: Shed,
        /// How long what waits now takes to sign.
        ahead: Duration,
    },
    /// The signature panicked; the thread goes on with the next.
    #[error("the signature panicked")]
    Panicked,
    /// The key refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Where work is handed over.
struct Desk {
    threads: usize,
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
        let state = Mutex::new(State { queue: FairQueue::of(bounds, threads), closed: false });
        let desk = Desk { threads, opened: Instant::now(), state, more: Condvar::new(), metrics };
        Self { desk: Arc::new(desk), running: OnceLock::new() }
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
        // Who is answered by nobody waits for a thread that could not be started.
        signed.await.unwrap_or(Err(NotSigned::Shed { why: Shed::Late, ahead: Duration::ZERO }))
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
        let (started, failed): (Vec<_>, Vec<_>) = (0..self.desk.threads).map(start).partition(Result::is_ok);
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

    fn push(&self, client: &ClientId, job: Job) -> Result<(), NotSigned> {
        let cost = Cost::of_rsa(job.key.signature_len(), job.key.primes());
        let mut state = self.lock();
        let pushed = state.queue.push(client, job, cost, self.now());
        let ahead = state.queue.ahead(self.threads);
        drop(state);
        if let Err((_, why)) = pushed {
            self.metrics.shed(why);
            return Err(NotSigned::Shed { why, ahead });
        }
        self.more.notify_one();
        Ok(())
    }

    fn work(&self) {
        let (mut shed, mut took) = (Vec::new(), None);
        while let Some(next) = self.next(took.take(), &mut shed) {
            for (job, why) in shed.drain(..) {
                self.metrics.shed(why);
                let _ = job.answer.send(Err(NotSigned::Shed { why, ahead: next.ahead }));
            }
            if let Some(Taken { job: Job { key, text, answer }, waited }) = next.taken {
                self.metrics.waited_to_sign(waited);
                let began = Instant::now();
                let signed = sign(&key, &text);
                took = Some(began.elapsed());
                let _ = answer.send(signed.map(|signature| (text, signature)));
            }
        }
    }

    /// Waits for something to sign or to shed, after telling how long the last signature took; nothing when the desk is
    /// closed.
    fn next(&self, took: Option<Duration>, shed: &mut Vec<(Job, Shed)>) -> Option<Next> {
        let mut state = self.lock();
        if let Some(took) = took {
            state.queue.signed(took);
        }
        loop {
            let taken = state.queue.take(self.now(), shed);
            if taken.is_some() || !shed.is_empty() {
                return Some(Next { taken, ahead: state.queue.ahead(self.threads) });
            }
            if state.closed {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What a thread does next.
struct Next {
    taken: Option<Taken<Job>>,
    /// How long the rest takes to sign.
    ahead: Duration,
}

/// A panic ends the one request it belongs to: a thread less would make all that follow slower, and the last one would
/// leave them waiting for ever.
fn sign(key: &SigningKey, text: &str) -> Result<Vec<u8>, NotSigned> {
    let signed = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        assert_ne!(text, tests::BREAKS);
        key.sign(text.as_bytes())
    }));
    signed.map_err(|_| NotSigned::Panicked)?.map_err(NotSigned::from)
}

#[cfg(test)]
mod tests {
    use gatepost_jose::{Algorithm, RsaBits};

    use super::*;

    /// A text whose signature panics.
    pub(super) const BREAKS: &str = "breaks";

    fn key(algorithm: Algorithm) -> Arc<SigningKey> {
        Arc::new(SigningKey::generate(algorithm, RsaBits::B2048).unwrap())
    }

    fn bounds() -> Signing {
        Signing { threads: 1, queue: 64, per_client: 8, target: 1000, deadline: Duration::from_secs(30) }
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

        assert_eq!(outcome, Err(NotSigned::Shed { why: Shed::Late, ahead: Duration::ZERO }));
        assert_eq!(pool.desk.metrics.snapshot().shed, [0, 0, 0, 1]);
    }

    #[tokio::test]
    async fn what_one_client_may_not_let_wait_is_refused_at_once_and_counted() {
        let pool = pool(&bounds());

        let outcomes = flood(&pool, 64).await;

        let of_client = |one: &&_| matches!(one, Err(NotSigned::Shed { why: Shed::Client, .. }));
        let refused = outcomes.iter().filter(of_client).count();
        let counts = pool.desk.metrics.snapshot();
        assert!(refused > 0 && outcomes.iter().filter(|one| one.is_ok()).count() == 64 - refused);
        assert_eq!((counts.shed, counts.waits.count), ([refused as u64, 0, 0, 0], 64 - refused as u64));
        assert_eq!(pool.waiting(), 0);
    }

    #[tokio::test]
    async fn a_signature_that_panics_fails_alone_and_its_thread_goes_on() {
        let (pool, key) = (pool(&bounds()), key(Algorithm::Rs256));
        for _ in 0..3 {
            assert_eq!(pool.sign(&key, BREAKS.into(), &client("c")).await, Err(NotSigned::Panicked));
        }
        assert!(pool.sign(&key, "text".into(), &client("c")).await.is_ok());
    }
}
