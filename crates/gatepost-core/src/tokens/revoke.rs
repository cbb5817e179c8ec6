//! This file is where it is decided what a revocation covers, and for how long it must be remembered.
//!
//! Only what is revoked is stored, and only until the last token that it concerns has expired by itself.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::apis::ApiId;
use crate::clients::ClientId;
use crate::partners::PartnerId;
use crate::time::Timestamp;

/// What was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revoked {
    /// One token of an API, by its id.
    Token {
        /// The API that it is for.
        api: ApiId,
        /// Its id.
        jti: String,
    },
    /// All tokens that a client got up to now.
    Client(ClientId),
    /// All tokens that the clients of a partner got up to now.
    Partner(PartnerId),
}

/// A revocation: of tokens issued up to `at`, to be remembered until `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// What was revoked.
    pub what: Revoked,
    /// When; tokens issued later are not concerned.
    pub at: Timestamp,
    /// When the last token that it concerns has expired.
    pub until: Timestamp,
}

impl Revoked {
    /// What was revoked, as one text: `token:…`, `client:…`, `partner:…`.
    pub fn name(&self) -> String {
        match self {
            Self::Token { jti, .. } => format!("token:{jti}"),
            Self::Client(id) => format!("client:{id}"),
            Self::Partner(id) => format!("partner:{}", id.0),
        }
    }
}

impl Revocation {
    /// Of one token, which expires at `expires`; verifiers may allow clocks `leeway` apart.
    pub fn of_token(api: ApiId, jti: String, expires: Timestamp, leeway: Duration, now: Timestamp) -> Self {
        Self { what: Revoked::Token { api, jti }, at: now, until: expires.after(leeway) }
    }

    /// Of all tokens that `what` covers so far; none of them lives longer than `token_life`, leeway included.
    pub fn of_all(what: Revoked, token_life: Duration, now: Timestamp) -> Self {
        Self { what, at: now, until: now.after(token_life) }
    }

    /// Whether a token of that client and partner, issued at `issued`, is covered.
    ///
    /// Issue times are known to the millisecond, so a token of the very millisecond of the revocation is covered.
    pub fn covers(&self, api: ApiId, jti: &str, client: &ClientId, partner: Option<PartnerId>, issued: Timestamp) -> bool {
        match &self.what {
            Revoked::Token { api: own, jti: revoked } => *own == api && revoked == jti,
            Revoked::Client(revoked) => revoked == client && issued.millis() <= self.at.millis(),
            Revoked::Partner(revoked) => Some(*revoked) == partner && issued.millis() <= self.at.millis(),
        }
    }
}
