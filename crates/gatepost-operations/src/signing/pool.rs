//! This file is where signing threads take work from the fair queue, and answer what it sheds.
//!
//! No lock is held while a signature is made or an answer is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use gatepost_jose::{KeyError, SigningKey};
use tokio::sync::oneshot;

use super::answers::Answers;
use super::cost::Cost;
use super::fair_queue::{Asker, FairQueue, Taken, Wanted};
use super::shed::Shed;
use crate::config::Signing;
use crate::telemetry::metrics::Metrics;

/// Signs with a bounded number of threads, fairly by partner and client.
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
    /// The operating system gave no thread to sign on.
    #[error("no signing thread could be started; see the log and the bound on threads (ulimit -u)")]
    NoThread,
    /// The key refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Where work is handed over.
struct Desk {
    threads: usize,
    opened: Instant,
    state: Mutex<State>,
    /// How many callers have gone without their answers since the queue was told. Nobody waits for a lock to go.
    gone: AtomicUsize,
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
    answer: oneshot::Sender<Signed>,
}

type Signed = Result<(String, Vec<u8>), NotSigned>;

impl Job {
    fn cost(&self) -> Cost {
        Cost::of_rsa(self.key.signature_len(), self.key.primes())
    }
}

impl Wanted for Job {
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }
}

/// Who waits for an answer, and leaves word when it goes without.
struct Caller<'a> {
    signed: oneshot::Receiver<Signed>,
    desk: &'a Desk,
}

impl Caller<'_> {
    async fn answer(mut self) -> Signed {
        // The threads end with the pool, and whoever waits here holds it.
        (&mut self.signed).await.unwrap_or(Err(NotSigned::Shed { why: Shed::Late, ahead: Duration::ZERO }))
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        if !self.signed.is_terminated() {
            self.signed.close();
            // After that, and adding, so that whoever reads the sum finds all of it closed.
            self.desk.gone.fetch_add(1, Ordering::Release);
        }
    }
}

impl Pool {
    /// A pool with those bounds; its threads start with the first RSA signature.
    pub fn new(bounds: &Signing, metrics: Arc<Metrics>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if bounds.threads == 0 { cores } else { bounds.threads };
        let state = Mutex::new(State { queue: FairQueue::of(bounds, threads), closed: false });
        let (opened, gone, more) = (Instant::now(), AtomicUsize::new(0), Condvar::new());
        let desk = Desk { threads, opened, state, gone, more, metrics };
        Self { desk: Arc::new(desk), running: OnceLock::new() }
    }

    /// Signs `text` for who asks, and gives the text back with its signature.
    pub async fn sign(&self, key: &Arc<SigningKey>, text: String, asker: Asker<'_>) -> Signed {
        if key.algorithm().signs_inline() {
            let signature = key.sign(text.as_bytes())?;
            return Ok((text, signature));
        }
        if self.running.get_or_init(|| self.start()).is_empty() {
            return Err(NotSigned::NoThread);
        }

        let (answer, signed) = oneshot::channel();
        self.desk.push(asker, Job { key: Arc::clone(key), text, answer })?;
        Caller { signed, desk: &self.desk }.answer().await
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
                "signing threads could not be started; signing is slower, or refused if there is none: mend the bound on threads and start again"
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

    fn push(&self, asker: Asker<'_>, job: Job) -> Result<(), NotSigned> {
        let cost = job.cost();
        let mut state = self.lock();
        if self.gone.load(Ordering::Relaxed) > 0 {
            state.queue.callers_gone(self.gone.swap(0, Ordering::Acquire));
        }
        let pushed = state.queue.push(asker, job, cost, self.now());
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
        let (mut shed, mut took, mut answers) = (Vec::new(), None, Answers::new());
        while let Some(next) = self.next(took.take(), &mut shed, answers.is_empty()) {
            for (job, why) in shed.drain(..) {
                self.metrics.shed(why);
                let _ = job.answer.send(Err(NotSigned::Shed { why, ahead: next.ahead }));
            }
            let mut waiting = 0;
            if let Some(Taken { job, waited }) = next.taken {
                waiting = next.waiting / self.threads.max(1);
                self.metrics.waited_to_sign(waited);
                let (cost, began) = (job.cost(), Instant::now());
                let signed = sign(&job.key, &job.text);
                took = Some(began.elapsed());
                answers.keep((job.answer, signed.map(|signature| (job.text, signature))), cost);
            }
            for (answer, signed) in answers.due(waiting) {
                let _ = answer.send(signed);
            }
        }
    }

    /// What is to be signed or shed, after telling how long the last signature took. Who is free to wait waits for it,
    /// and gets nothing when the desk is closed.
    fn next(&self, took: Option<Duration>, shed: &mut Vec<(Job, Shed)>, may_wait: bool) -> Option<Next> {
        let mut state = self.lock();
        if let Some(took) = took {
            state.queue.signed(took);
        }
        loop {
            let taken = state.queue.take(self.now(), shed);
            if taken.is_some() || !shed.is_empty() || !may_wait {
                let (ahead, waiting) = (state.queue.ahead(self.threads), state.queue.waiting());
                return Some(Next { taken, ahead, waiting });
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
    /// How much that is.
    waiting: usize,
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

#[cfg(any(test, feature = "testing"))]
mod held;
#[cfg(test)]
mod tests;
