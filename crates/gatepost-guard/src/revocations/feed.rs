//! This file is where the claims of the revocation feed are, in one definition for the server and those who follow it.
//!
//! The feed is a JWT of a type of its own, signed by the server's service key, which is in no API's key set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatepost_jose::{Micros, PublicKey, statement};
use serde::{Deserialize, Serialize};

use super::feed_error::FeedError;

/// The `typ` of the feed's header; no access token has it.
pub const FEED_TYP: &str = "gatepost-revocations+jwt";

/// How long a feed is good for after it was signed: who sends an old one again must not be believed.
pub const FEED_LIFE: Duration = Duration::from_secs(60);

/// No feed is believed that is older than this, whatever it says of itself.
const OLDEST: Duration = Duration::from_secs(300);

/// What is revoked for one API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedClaims {
    /// The issuer of the API's tokens.
    pub iss: String,
    /// The API that it is about: its `api_id`.
    pub aud: String,
    /// When it was signed, in seconds.
    pub iat: i64,
    /// The second from which it is not believed any more.
    pub exp: i64,
    /// The number of the last change that the server had taken up then: it tells who lags behind whom.
    ///
    /// It refuses nothing: a server that was restored from a backup counts from a lower number.
    pub seq: i64,
    /// A digest of all that follows: equal versions say the same.
    pub version: String,
    /// The entity tag of the API's key set with all keys that verify.
    pub keys: String,
    /// Tokens by `jti`, with the second after which no clock accepts them.
    pub tokens: BTreeMap<String, i64>,
    /// Clients, each with a millisecond: what it was issued up to then is revoked.
    pub clients: BTreeMap<String, u64>,
    /// Partners, in the same way.
    pub partners: BTreeMap<String, u64>,
    /// Keys of which nothing is valid any more.
    pub kids: BTreeSet<String>,
}

impl FeedClaims {
    /// Reads a feed that this key must have signed, for this API and from this issuer.
    pub fn open(jwt: &str, key: &PublicKey, issuer: &str, api_id: &str) -> Result<Self, FeedError> {
        let claims = statement::open(jwt, FEED_TYP, key)?;
        let claims: Self = serde_json::from_slice(&claims).map_err(|_| FeedError::Claims)?;
        if claims.iss != issuer {
            return Err(FeedError::Issuer);
        }
        if claims.aud != api_id {
            return Err(FeedError::Audience);
        }
        Ok(claims)
    }

    /// Whether it is a statement of this time, by a clock that may be `leeway` apart from the server's.
    pub fn check_time(&self, now: Micros, leeway: Duration) -> Result<(), FeedError> {
        let earliest = now.saturating_sub(leeway).seconds();
        let too_old = self.iat.saturating_add(seconds(OLDEST)) < earliest;
        if self.exp <= earliest || too_old {
            return Err(FeedError::Expired);
        }
        if self.iat > now.saturating_add(leeway).seconds() {
            return Err(FeedError::Early);
        }
        Ok(())
    }

    /// Whether another one had been signed when this one had expired.
    pub(super) fn is_outlived_by(&self, newest: i64) -> bool {
        self.iat.saturating_add(seconds(FEED_LIFE)) < newest
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
