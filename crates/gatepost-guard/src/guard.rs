//! This file is where a request's token is judged, from the header to the caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_jose::verify::{MAX_TOKEN_BYTES, verify};
use gatepost_jose::{Expectation, Rejection};
use http::HeaderMap;

use crate::bearer;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::key_cache::KeyCache;
use crate::key_source::FetchError;
use crate::refusal::Refusal;
use crate::revocations::follow::Follower;
use crate::revocations::{FeedStatus, RevocationCheck};
use crate::ring::{LookUp, Ring, View};
use crate::status::{GuardStatus, Verdicts};
use crate::verified::{Moment, TokenHash, VerifiedTokens};

/// The first may join a fetch that began before the key was published; the second is then one's own.
const MAX_REFETCHES: usize = 2;

/// Protects an API; a clone shares keys and verdicts. As a tower layer it wraps a router.
#[derive(Clone)]
pub struct Guard(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) expectation: Expectation,
    pub(crate) look_up: LookUp,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) verdicts: Verdicts,
    pub(crate) verified: VerifiedTokens,
    pub(crate) verifications: AtomicU64,
    pub(crate) signature_checks: AtomicU64,
    pub(crate) revocations: Arc<dyn RevocationCheck>,
    pub(crate) follower: Option<Follower>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) live_only: bool,
    pub(crate) realm: Arc<str>,
}

impl Guard {
    pub(crate) fn of(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Judges a request by its headers.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let verdict = match bearer::presented(headers) {
            // What is no text was never verified, so it is looked for as it is and read only when it was not found.
            Ok(bytes) => self.verdict(bytes, || bearer::text(bytes)).await,
            Err(refusal) => Err(refusal),
        };
        self.count(&verdict);
        if let Err(refusal) = &verdict {
            tracing::debug!(code = refusal.code(), "call refused");
        }
        verdict
    }

    /// Judges a token.
    pub async fn judge(&self, token: &str) -> Result<Caller, Refusal> {
        let verdict = self.verdict(token.as_bytes(), || Ok(token)).await;
        self.count(&verdict);
        verdict
    }

    async fn verdict<'a>(
        &self,
        presented: &'a [u8],
        text: impl FnOnce() -> Result<&'a str, Refusal>,
    ) -> Result<Caller, Refusal> {
        if presented.len() > MAX_TOKEN_BYTES {
            return Err(text().err().unwrap_or(Rejection::TooLarge.into()));
        }
        let hash = TokenHash::of(presented);
        let caller = match self.remembered(&hash) {
            Some(caller) => caller,
            None => self.judge_anew(text()?, &hash).await?,
        };
        self.still_welcome(caller).await
    }

    /// By keys that are fresh, so without waiting for anything.
    fn remembered(&self, hash: &TokenHash) -> Option<Caller> {
        let moment = self.moment();
        let ring = self.0.keys.fresh(moment.steady)?;
        self.0.verified.find(hash, &ring, moment)
    }

    /// By the keys that there are, or are to be had.
    async fn judge_anew(&self, token: &str, hash: &TokenHash) -> Result<Caller, Refusal> {
        let ring = self.0.keys.current().await?;
        if let Some(caller) = self.0.verified.find(hash, &ring, self.moment()) {
            return Ok(caller);
        }
        self.0.verified.missed();
        self.verify_or_refetch(token, hash, &ring).await
    }

    /// Fetches the keys now; for a source whose keys are known to have changed.
    pub async fn refresh_keys(&self) -> Result<(), FetchError> {
        self.0.keys.renew().await
    }

    /// How the guard gets along: calls let in and refused, keys, feed.
    #[must_use]
    pub fn status(&self) -> GuardStatus {
        let (accepted, refused) = self.0.verdicts.so_far();
        let (cache_hits, cache_misses) = self.0.verified.lookups();
        GuardStatus {
            accepted,
            refused,
            cache_hits,
            cache_misses,
            signature_checks: self.signature_checks(),
            keys: self.0.keys.count(),
            keys_age: self.0.keys.age_of_keys(),
            keys_failing: self.0.keys.is_failing(),
            feed: self.feed_status(),
        }
    }

    /// How often a token was verified in full since the start; every other call was answered from memory.
    ///
    /// When it grows as fast as the calls do, tokens are fetched anew for each call, or somebody sends forged ones.
    #[must_use]
    pub fn verifications(&self) -> u64 {
        self.0.verifications.load(Ordering::Relaxed)
    }

    /// How many signatures were checked for that: one for most tokens, none for those that name no key of the API. In the
    /// passport profile one without `kid` then costs one for each key that was imported or comes from a PEM file.
    #[must_use]
    pub fn signature_checks(&self) -> u64 {
        self.0.signature_checks.load(Ordering::Relaxed)
    }

    /// How the revocation feed is followed; `None` if none is.
    #[must_use]
    pub fn feed_status(&self) -> Option<FeedStatus> {
        self.0.follower.as_ref().map(Follower::status)
    }

    /// The realm of this guard's challenges.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.0.realm
    }

    pub(crate) fn shared_realm(&self) -> Arc<str> {
        Arc::clone(&self.0.realm)
    }

    fn count(&self, verdict: &Result<Caller, Refusal>) {
        match verdict {
            Ok(_) => self.0.verdicts.accepted(),
            Err(refusal) => self.0.verdicts.refused(refusal),
        }
    }

    async fn verify_or_refetch(
        &self,
        token: &str,
        hash: &TokenHash,
        ring: &Arc<Ring>,
    ) -> Result<Caller, Refusal> {
        let mut ring = Arc::clone(ring);
        let mut verdict = self.verify(token, hash, &ring);
        for _ in 0..MAX_REFETCHES {
            let Err(rejection) = verdict else { break };
            if !self.newer_keys_may_help(rejection) {
                break;
            }
            let newer = self.0.keys.refetched(&ring).await;
            // The same keys say the same.
            if newer.generation == ring.generation {
                break;
            }
            ring = newer;
            verdict = self.verify(token, hash, &ring);
        }
        Ok(verdict?)
    }

    /// An id that nobody knows may be that of a new key; without ids, so may a signature that no key made.
    fn newer_keys_may_help(&self, rejection: Rejection) -> bool {
        rejection.is_unknown_key()
            || (self.0.look_up == LookUp::ByIdOrTrial
                && matches!(
                    rejection,
                    Rejection::Signature | Rejection::AlgorithmMismatch | Rejection::KeyIdMissing
                ))
    }

    fn verify(&self, token: &str, hash: &TokenHash, ring: &Ring) -> Result<Caller, Rejection> {
        self.0.verifications.fetch_add(1, Ordering::Relaxed);
        let moment = self.moment();
        let view = View { ring, look_up: self.0.look_up, checks: &self.0.signature_checks };
        let verified = verify(token, &view)?;
        self.0.expectation.check(&verified, moment.now)?;
        let caller = Caller::of(verified).ok_or(Rejection::ClaimType)?;
        self.0.verified.remember(*hash, &caller, ring, moment);
        Ok(caller)
    }

    /// What can change while a verdict is remembered, or depends on this API alone.
    async fn still_welcome(&self, caller: Caller) -> Result<Caller, Refusal> {
        self.not_revoked(&caller).await?;
        if self.0.live_only && caller.is_test {
            return Err(Refusal::TestToken);
        }
        Ok(caller)
    }

    async fn not_revoked(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.0.revocations.is_revoked(caller) {
            return Err(Refusal::Revoked);
        }
        match &self.0.follower {
            Some(follower) => follower.check(caller).await,
            None => Ok(()),
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.0.clock.now(), steady: self.0.clock.steady() }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("expectation", &self.0.expectation)
            .field("live_only", &self.0.live_only)
            .finish_non_exhaustive()
    }
}
