//! This file is where the feed of each API is made: once for a change and all who ask, and only when somebody asks.
//!
//! The idea: its content stays while nothing has changed and nothing in it is over; the statement about it is signed when
//! the first one needs it, and anew once it has aged, since an old one is not believed.
//! The price: the text of each API's feed is kept in memory, and a guard may be given a statement some seconds old.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gatepost_guard::{FEED_LIFE, FeedClaims};
use gatepost_operations::core::apis::ApiId;
use gatepost_operations::core::keys::KeyState;
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::core::tokens::revoke::Revoked;
use gatepost_operations::gate::Gate;
use gatepost_operations::key_ring::{KeyRing, etag_of};
use gatepost_operations::revocations::Set;
use gatepost_operations::service::{self, Statement};
use tokio::sync::Mutex;

/// A statement is given out so long, a third of the time for which it is believed.
const GIVEN_OUT: Duration = Duration::from_secs(20);

/// The feeds that were asked for, and how many ask.
#[derive(Default)]
pub(crate) struct Feeds {
    made: Mutex<HashMap<ApiId, Arc<Made>>>,
    followers: AtomicUsize,
}

/// The feed of one API at some moment.
pub(crate) struct Made {
    content: Arc<Content>,
    set: Arc<Set>,
    ring: Arc<KeyRing>,
    at: Timestamp,
    jwt: Lock<Option<Bytes>>,
}

/// What it says, without when.
struct Content {
    claims: FeedClaims,
    etag: String,
    /// When the first of it is over.
    ends: Option<Timestamp>,
}

/// One who waits for news; it is counted until it is dropped.
pub(crate) struct Following(Arc<Feeds>);

impl Feeds {
    /// The feed of that API as it is now.
    pub(crate) async fn of(&self, gate: &Gate, api: ApiId) -> Result<Arc<Made>, Refusal> {
        // Whoever waits here finds what the one before made.
        let mut feeds = self.made.lock().await;
        let (set, ring, at) = (gate.revocations.now(), gate.ring(), gate.clock.now());
        let known = feeds.get(&api);
        if let Some(made) = known.filter(|made| made.is_of(&set, &ring) && made.is_young(at)) {
            return Ok(Arc::clone(made));
        }
        let same = known.filter(|made| made.is_of(&set, &ring) && !made.content.is_over(at));
        let content = match same {
            Some(made) => Arc::clone(&made.content),
            None => Arc::new(content(gate, api, (&set, &ring), at)?),
        };
        let made = Arc::new(Made { content, set, ring, at, jwt: Lock::default() });
        feeds.retain(|api, _| made.ring.access(*api).is_some());
        feeds.insert(api, Arc::clone(&made));
        Ok(made)
    }

    /// Counts one who waits.
    pub(crate) fn follow(self: &Arc<Self>) -> Following {
        self.followers.fetch_add(1, Relaxed);
        Following(Arc::clone(self))
    }

    /// How many wait now.
    pub(crate) fn followers(&self) -> usize {
        self.followers.load(Relaxed)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Relaxed);
    }
}

impl Made {
    /// Its entity tag: equal tags say the same.
    pub(crate) fn etag(&self) -> &str {
        &self.content.etag
    }

    /// Its text, signed for all who ask for it.
    pub(crate) fn signed(&self, gate: &Gate) -> Result<Bytes, Refusal> {
        let mut jwt = self.jwt.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jwt) = &*jwt {
            return Ok(jwt.clone());
        }
        let iat = self.at.seconds();
        let claims = FeedClaims {
            iat,
            exp: self.at.after(FEED_LIFE).seconds(),
            seq: gate.followed.seq(),
            ..self.content.claims.clone()
        };
        let claims = serde_json::to_string(&claims).map_err(|error| unavailable(&error))?;
        let text = service::sign(gate, Statement::RevocationFeed, &claims);
        let text = Bytes::from(text.map_err(|failure| unavailable(&failure))?);
        gate.metrics.feed_signed();
        Ok(jwt.insert(text).clone())
    }

    fn is_of(&self, set: &Arc<Set>, ring: &Arc<KeyRing>) -> bool {
        Arc::ptr_eq(&self.set, set) && Arc::ptr_eq(&self.ring, ring)
    }

    fn is_young(&self, now: Timestamp) -> bool {
        // A clock that was set back has made it no younger.
        now >= self.at && now.since(self.at) < GIVEN_OUT && !self.content.is_over(now)
    }
}

impl Content {
    fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

fn content(
    gate: &Gate,
    api: ApiId,
    (set, ring): (&Set, &KeyRing),
    now: Timestamp,
) -> Result<Content, Refusal> {
    let mut claims = FeedClaims {
        iss: gate.issuer.as_str().to_owned(),
        aud: api.0.to_string(),
        keys: ring.keys_of(api).map(|keys| keys.all().etag.to_string()).unwrap_or_default(),
        ..FeedClaims::default()
    };
    let mut ends: Option<Timestamp> = None;
    for revocation in set.about(api).filter(|revocation| !revocation.is_over(now)) {
        ends = Some(ends.map_or(revocation.until, |ends| ends.min(revocation.until)));
        let until = revocation.until.seconds().saturating_add(1);
        match &revocation.what {
            Revoked::Token(jti) => drop(claims.tokens.insert(jti.clone(), until)),
            Revoked::Client(id) => drop(claims.clients.insert(id.to_string(), revocation.at.millis())),
            Revoked::Partner(id) => drop(claims.partners.insert(id.0.to_string(), revocation.at.millis())),
        }
    }
    let revoked = ring.stored_of(api).iter().filter(|key| key.state == KeyState::Revoked);
    claims.kids = revoked.map(|key| key.kid.to_string()).collect();
    let text = serde_json::to_string(&claims).map_err(|error| unavailable(&error))?;
    let etag = etag_of(&text);
    claims.version = etag.trim_matches('"').to_owned();
    Ok(Content { etag: format!("\"{}\"", claims.version), claims, ends })
}

fn unavailable(error: &impl ToString) -> Refusal {
    Code::TemporarilyUnavailable.because(error.to_string())
}
