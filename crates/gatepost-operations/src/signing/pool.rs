//! This file is where signing threads take work from a bounded queue.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use gatepost_core::clients::ClientId;
use gatepost_jose::{KeyError, SigningKey};
use tokio::sync::oneshot;

use crate::config::Signing;

/// Signs with a bounded number of threads and a bounded queue.
pub struct Pool {
    queue: Arc<Queue>,
    threads: usize,
    running: OnceLock<Vec<JoinHandle<()>>>,
    patience: Duration,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// More work waits than may wait.
    #[error("the signing queue is full")]
    Full,
    /// The work waited past its deadline.
    #[error("the signature came too late")]
    Late,
    /// The key refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

struct Queue {
    places: usize,
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Job {
    key: Arc<SigningKey>,
    text: String,
    deadline: Instant,
    answer: oneshot::Sender<Result<(String, Vec<u8>), NotSigned>>,
}

impl Pool {
    /// A pool with those bounds; its threads start with the first RSA signature.
    pub fn new(bounds: &Signing) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if bounds.threads == 0 { cores } else { bounds.threads };
        let queue = Queue { places: bounds.queue.max(1), waiting: Mutex::default(), more: Condvar::new() };
        Self { queue: Arc::new(queue), threads, running: OnceLock::new(), patience: bounds.deadline }
    }

    /// Signs `text` for a client before `deadline`, and gives the text back with its signature.
    pub async fn sign(
        &self,
        key: &Arc<SigningKey>,
        text: String,
        _client: &ClientId,
        deadline: Instant,
    ) -> Result<(String, Vec<u8>), NotSigned> {
        if key.algorithm().signs_inline() {
            let signature = key.sign(text.as_bytes())?;
            return Ok((text, signature));
        }
        self.running.get_or_init(|| self.start());

        let (answer, signed) = oneshot::channel();
        self.queue.push(Job { key: Arc::clone(key), text, deadline, answer })?;
        signed.await.unwrap_or(Err(NotSigned::Late))
    }

    /// The deadline of work that comes in now.
    pub fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.patience).unwrap_or(now)
    }

    /// How many signatures wait.
    pub fn waiting(&self) -> usize {
        self.queue.lock().jobs.len()
    }

    fn start(&self) -> Vec<JoinHandle<()>> {
        let start = |number: usize| {
            let queue = Arc::clone(&self.queue);
            let thread = Builder::new().name(format!("sign-{number}")).stack_size(256 * 1024);
            thread.spawn(move || queue.work())
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
        self.queue.lock().closed = true;
        self.queue.more.notify_all();
        for thread in self.running.take().into_iter().flatten() {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), NotSigned> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.places {
            return Err(NotSigned::Full);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.more.notify_one();
        Ok(())
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // The caller has gone: its signature would be made for nobody.
            if job.answer.is_closed() {
                continue;
            }
            let signed = if Instant::now() > job.deadline {
                Err(NotSigned::Late)
            } else {
                job.key.sign(job.text.as_bytes()).map_err(NotSigned::from)
            };
            let _ = job.answer.send(signed.map(|signature| (job.text, signature)));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
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

    fn pool(threads: usize, queue: usize) -> Pool {
        Pool::new(&Signing { threads, queue, deadline: Duration::from_secs(30) })
    }

    fn client() -> ClientId {
        ClientId::parse("c").unwrap()
    }

    #[tokio::test]
    async fn text_comes_back_with_a_signature_that_verifies() {
        let pool = pool(2, 8);
        for algorithm in Algorithm::ALL {
            let key = key(algorithm);
            let (text, signature) = pool.sign(&key, "text".into(), &client(), pool.deadline()).await.unwrap();
            assert_eq!(text, "text");
            key.public().verify(b"text", &signature).unwrap();
        }
    }

    #[tokio::test]
    async fn work_past_its_deadline_is_refused_unsigned() {
        let pool = pool(1, 8);
        let past = Instant::now().checked_sub(Duration::from_millis(1)).unwrap();

        let outcome = pool.sign(&key(Algorithm::Rs256), "text".into(), &client(), past).await;
        assert_eq!(outcome, Err(NotSigned::Late));
    }

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_refused_at_once() {
        let pool = Arc::new(pool(1, 2));
        let key = key(Algorithm::Rs256);
        let ask = || {
            let (pool, key) = (Arc::clone(&pool), Arc::clone(&key));
            tokio::spawn(async move { pool.sign(&key, "text".into(), &client(), pool.deadline()).await })
        };

        let asked: Vec<_> = (0..64).map(|_| ask()).collect();
        let mut outcomes = Vec::new();
        for handle in asked {
            outcomes.push(handle.await.unwrap());
        }

        assert!(outcomes.iter().any(Result::is_ok));
        assert!(outcomes.contains(&Err(NotSigned::Full)));
        assert_eq!(pool.waiting(), 0);
    }
}
