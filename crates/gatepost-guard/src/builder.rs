//! This file is where a guard's settings are gathered and checked.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gatepost_jose::{Expectation, Expected};

use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::guard::{Guard, Parts};
use crate::key_cache::{KeyCache, Timing};
use crate::key_source::KeySource;
use crate::revocations::follow::{Follower, Times};
use crate::revocations::{Feed, NoRevocations, RevocationCheck};
use crate::ring::LookUp;
use crate::status::Verdicts;
use crate::verified::VerifiedTokens;

const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// The settings of a guard; [`Builder::build`] checks them.
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    profile: Option<Expected>,
    keys: Option<Arc<dyn KeySource>>,
    leeway: Duration,
    max_lifetime: Duration,
    live_only: bool,
    realm: String,
    cache_capacity: u64,
    timing: Timing,
    revocations: Arc<dyn RevocationCheck>,
    feed: Option<Feed>,
    clock: Arc<dyn Clock>,
}

impl Guard {
    /// Starts the settings of a guard.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            profile: None,
            keys: None,
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            live_only: false,
            realm: crate::refusal::DEFAULT_REALM.to_owned(),
            cache_capacity: 10_000,
            timing: Timing { floor: Duration::from_secs(30), stale_for: Duration::from_secs(24 * 60 * 60) },
            revocations: Arc::new(NoRevocations),
            feed: None,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl Builder {
    /// Accepts JWT access tokens (RFC 9068) of this issuer for this audience; both are compared letter for letter.
    pub fn rfc9068(mut self, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        self.profile = Some(Expected::Rfc9068 { issuer: issuer.into(), audience: audience.into() });
        self
    }

    /// Accepts tokens of the passport profile, signed by the keys of one API.
    pub fn passport(mut self, keys: impl KeySource + 'static) -> Self {
        self.profile = Some(Expected::Passport);
        self.keys(keys)
    }

    /// Where the keys come from.
    pub fn keys(mut self, keys: impl KeySource + 'static) -> Self {
        self.keys = Some(Arc::new(keys));
        self
    }

    /// How far the clocks of issuer and guard may be apart; 60 seconds unless set.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The longest lifetime of a token that is believed; 24 hours unless set.
    pub fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// Refuses the tokens of test clients with 403.
    pub fn live_only(mut self) -> Self {
        self.live_only = true;
        self
    }

    /// The realm that challenges name; `api` unless set.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// How many verified tokens are remembered; 10,000 unless set, 0 remembers none.
    pub fn remember(mut self, tokens: u64) -> Self {
        self.cache_capacity = tokens;
        self
    }

    /// How long the last keys are used while their source can't be reached; 24 hours unless set.
    pub fn stale_for(mut self, stale_for: Duration) -> Self {
        self.timing.stale_for = stale_for;
        self
    }

    /// The shortest time between two fetches of the keys; 30 seconds unless set.
    pub fn refetch_floor(mut self, floor: Duration) -> Self {
        self.timing.floor = floor;
        self
    }

    /// Who knows the revoked tokens.
    pub fn revocations(mut self, revocations: impl RevocationCheck + 'static) -> Self {
        self.revocations = Arc::new(revocations);
        self
    }

    /// Follows the server's revocation feed: what is revoked there is refused here within seconds.
    pub fn follow(mut self, feed: Feed) -> Self {
        self.feed = Some(feed);
        self
    }

    /// The time, for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the settings and makes the guard. Keys are not fetched before the first call; a feed is followed from now
    /// on inside a tokio runtime, else from the first call on.
    pub fn build(self) -> Result<Guard, ConfigError> {
        let profile = self.profile.ok_or(ConfigError::NoProfile)?;
        let keys = self.keys.ok_or(ConfigError::NoKeys)?;
        let look_up = check_profile(&profile, keys.as_ref())?;
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::Leeway);
        }
        if self.max_lifetime.is_zero() {
            return Err(ConfigError::MaxLifetime);
        }
        if !self.realm.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
            return Err(ConfigError::Realm);
        }
        let keys = KeyCache::new(keys, Arc::clone(&self.clock), self.timing);
        let times = Times { token_life: self.max_lifetime.saturating_add(self.leeway), leeway: self.leeway };
        let follow = |feed| Follower::new(feed, Arc::clone(&keys), Arc::clone(&self.clock), times);
        Ok(Guard::of(Parts {
            expectation: Expectation { profile, leeway: self.leeway, max_lifetime: self.max_lifetime },
            look_up,
            follower: self.feed.map(follow),
            keys,
            verdicts: Verdicts::default(),
            verifications: AtomicU64::new(0),
            signature_checks: AtomicU64::new(0),
            verified: VerifiedTokens::new(self.cache_capacity, self.leeway),
            revocations: self.revocations,
            clock: self.clock,
            live_only: self.live_only,
            realm: self.realm.into(),
        }))
    }
}

fn check_profile(profile: &Expected, keys: &dyn KeySource) -> Result<LookUp, ConfigError> {
    match profile {
        Expected::Rfc9068 { issuer, .. } if issuer.is_empty() => Err(ConfigError::NoIssuer),
        Expected::Rfc9068 { audience, .. } if audience.is_empty() => Err(ConfigError::NoAudience),
        Expected::Rfc9068 { .. } => Ok(LookUp::ById),
        Expected::Passport if keys.is_shared() => Err(ConfigError::SharedKeys),
        Expected::Passport => Ok(LookUp::ByIdOrTrial),
    }
}
