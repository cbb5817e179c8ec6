//! This file is where a guard follows the revocation feed, in a task beside the calls.
//!
//! Idea: one request is always waiting at the server, so news arrive as they are made; what they say is swapped in
//! whole, and a key set that has changed is fetched at once, whatever the floor between fetches.
//! Limits: while the server can't be reached the guard serves by what it heard last, for `serve_for`; then, and before
//! it has ever heard, it does as [`AfterThat`] says. A feed that has expired was not heard, and "nothing has changed",
//! which nobody signs, is believed for some minutes only.
//! Price: one connection a guard, and the memory of what is revoked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gatepost_jose::PublicKey;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::feed::FeedClaims;
use super::feed_error::FeedError;
use super::news::{AfterThat, Answer, Feed};
use super::set::RevocationSet;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::entropy;
use crate::key_cache::KeyCache;
use crate::refusal::Refusal;

/// Two requests begin at least so far apart, also at a server that never waits.
const PACE: Duration = Duration::from_millis(200);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
const NEVER: i64 = -1;

/// How a guard and its revocation feed get along, for metrics and health checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// How long ago the server was last heard; `None` before the first time.
    pub age: Option<Duration>,
    /// Whether good tokens are let in; false once the feed is too old, if the guard is to refuse then.
    pub serving: bool,
    /// The number of the last change that the feed told of; `None` before the first time.
    pub seq: Option<i64>,
    /// How many revocations are known.
    pub revocations: usize,
    /// How many feeds were taken up.
    pub taken_up: u64,
    /// How many times the server said that nothing changed.
    pub unchanged: u64,
    /// How many attempts failed.
    pub failed: u64,
    /// Why the last attempt failed; `None` if it did not.
    pub failure: Option<FeedError>,
}

/// Follows a feed for as long as it lives.
pub(crate) struct Follower {
    heard: Arc<Heard>,
    task: OnceLock<Task>,
}

/// A task that ends with its owner.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the guard believes of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// No token is valid for longer.
    pub(crate) token_life: Duration,
    /// How far its clock and the server's may be apart.
    pub(crate) leeway: Duration,
}

/// What has been heard, shared by the calls and the task.
struct Heard {
    feed: Feed,
    keys: Arc<KeyCache>,
    clock: Arc<dyn Clock>,
    times: Times,
    set: ArcSwap<RevocationSet>,
    /// Microseconds on the steady clock.
    last: AtomicI64,
    seq: AtomicI64,
    tried: watch::Sender<bool>,
    taken_up: AtomicU64,
    unchanged: AtomicU64,
    failed: AtomicU64,
    failure: Mutex<Option<FeedError>>,
}

impl Follower {
    /// Begins at once inside a tokio runtime, else at the first call.
    pub(crate) fn new(feed: Feed, keys: Arc<KeyCache>, clock: Arc<dyn Clock>, times: Times) -> Self {
        let heard = Heard {
            feed,
            keys,
            clock,
            times,
            set: ArcSwap::default(),
            last: AtomicI64::new(NEVER),
            seq: AtomicI64::new(NEVER),
            tried: watch::Sender::new(false),
            taken_up: AtomicU64::new(0),
            unchanged: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failure: Mutex::default(),
        };
        let follower = Self { heard: Arc::new(heard), task: OnceLock::new() };
        if let Ok(runtime) = Handle::try_current() {
            follower.begin(&runtime);
        }
        follower
    }

    fn begin(&self, runtime: &Handle) {
        self.task.get_or_init(|| Task(runtime.spawn(follow(Arc::clone(&self.heard)))));
    }

    /// Refuses a caller whose token was revoked, or all while too little is known.
    ///
    /// The first calls wait for the first attempt, so that a guard that starts does not let revoked tokens in.
    pub(crate) async fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        if !*self.heard.tried.borrow() {
            self.begin(&Handle::current());
            // It ends early only when the runtime does.
            let _ = self.heard.tried.subscribe().wait_for(|tried| *tried).await;
        }
        if self.heard.set.load().covers(caller) {
            return Err(Refusal::Revoked);
        }
        if self.heard.is_serving() { Ok(()) } else { Err(Refusal::NoNews) }
    }

    pub(crate) fn status(&self) -> FeedStatus {
        let heard = &self.heard;
        FeedStatus {
            age: heard.age(),
            serving: heard.is_serving(),
            seq: Some(heard.seq.load(Ordering::Relaxed)).filter(|seq| *seq != NEVER),
            revocations: heard.set.load().len(),
            taken_up: heard.taken_up.load(Ordering::Relaxed),
            unchanged: heard.unchanged.load(Ordering::Relaxed),
            failed: heard.failed.load(Ordering::Relaxed),
            failure: heard.failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// How far the task has come.
#[derive(Default)]
struct Course {
    key: Option<PublicKey>,
    etag: Option<String>,
    /// When the newest feed was signed, by the server's clock.
    issued: Option<i64>,
    /// When the last feed was asked for, by the steady clock.
    signed: Duration,
    /// The key set that the feed names, until the guard holds it.
    keys_to_fetch: Option<String>,
    failures: u32,
}

async fn follow(heard: Arc<Heard>) {
    let mut course = Course { key: heard.feed.service_key.clone(), ..Course::default() };
    loop {
        let began = Instant::now();
        let outcome = heard.poll(&mut course).await;
        let pause = match &outcome {
            Ok(()) => PACE.saturating_sub(began.elapsed()),
            Err(_) => pause_after(course.failures),
        };
        heard.note(&mut course, outcome);
        heard.tried.send_replace(true);
        tokio::time::sleep(pause).await;
    }
}

impl Heard {
    async fn poll(&self, course: &mut Course) -> Result<(), FeedError> {
        // What could not be fetched the last time is not put off by waiting for news; nor do news wait for it.
        let keys = self.follow_keys(course).await;
        let key = match &course.key {
            Some(key) => key.clone(),
            None => course.key.insert(self.feed.fetch_service_key().await?).clone(),
        };
        let asked = self.clock.steady();
        let is_believed = asked.saturating_sub(course.signed) < self.feed.longest_unsigned();
        let known = course.etag.as_deref().filter(|_| keys.is_ok() && is_believed);
        match self.feed.ask(known).await? {
            Answer::Unchanged => {
                self.unchanged.fetch_add(1, Ordering::Relaxed);
            }
            Answer::New { jwt, etag } => {
                let claims = self.feed.open(&jwt, &key)?;
                claims.check_time(self.clock.now(), self.times.leeway)?;
                // Nodes sign at different moments, so a little older is no replay.
                if course.issued.is_some_and(|newest| claims.is_outlived_by(newest)) {
                    return Err(FeedError::Older);
                }
                self.take_up(&claims);
                course.issued = course.issued.max(Some(claims.iat));
                (course.etag, course.signed) = (etag, asked);
                course.keys_to_fetch = Some(claims.keys);
            }
        }
        // An answer that was long under way may have been made when it was asked for.
        self.last.store(i64::try_from(asked.as_micros()).unwrap_or(i64::MAX), Ordering::Release);
        keys.and(self.follow_keys(course).await)
    }

    fn take_up(&self, claims: &FeedClaims) {
        let next = self.set.load().with(claims, self.clock.now(), self.times.token_life);
        self.set.store(Arc::new(next));
        self.seq.store(claims.seq, Ordering::Relaxed);
        self.taken_up.fetch_add(1, Ordering::Relaxed);
    }

    /// Fetches the keys once for each key set that the feed names, unless they are at hand.
    async fn follow_keys(&self, course: &mut Course) -> Result<(), FeedError> {
        if let Some(named) = &course.keys_to_fetch {
            if self.keys.etag().await.as_ref() != Some(named) {
                self.keys.renew().await?;
            }
            course.keys_to_fetch = None;
        }
        Ok(())
    }

    fn note(&self, course: &mut Course, outcome: Result<(), FeedError>) {
        match &outcome {
            Ok(()) if course.failures > 0 => {
                tracing::info!(attempts = course.failures, "the revocation feed is heard again");
                course.failures = 0;
            }
            Ok(()) => {}
            Err(error) => {
                // Said once and then now and again, not each few seconds.
                if course.failures.is_multiple_of(100) {
                    tracing::warn!(%error, "the revocation feed is not heard; it is tried again");
                }
                course.failures = course.failures.saturating_add(1);
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = outcome.err();
    }

    fn age(&self) -> Option<Duration> {
        let last = u64::try_from(self.last.load(Ordering::Acquire)).ok()?;
        Some(self.clock.steady().saturating_sub(Duration::from_micros(last)))
    }

    fn is_serving(&self) -> bool {
        match self.feed.then {
            AfterThat::Keep => true,
            AfterThat::Refuse => self.age().is_some_and(|age| age <= self.feed.serve_for),
        }
    }
}

/// Longer after each failure, up to a bound, and never the same for all guards.
fn pause_after(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
    longest.mul_f64(entropy::from_half_to_one())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_within_which_news_still_come_in_time() {
        for failures in 0..40 {
            let longest = Duration::from_millis(250 << failures.min(4));
            let pause = pause_after(failures);
            assert!(pause >= longest / 2 && pause <= longest, "{failures}: {pause:?}");
        }
    }
}
