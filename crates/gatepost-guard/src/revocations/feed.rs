//! This file is where the claims of the revocation feed are, in one definition for the server and those who follow it.
//!
//! The feed is a JWT of a type of its own, signed by the server's service key, which is in no API's key set.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_jose::{PublicKey, statement};
use serde::{Deserialize, Serialize};

use super::news::FeedError;

/// The `typ` of the feed's header; no access token has it.
pub const FEED_TYP: &str = "gatepost-revocations+jwt";

/// What is revoked for one API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedClaims {
    /// The issuer of the API's tokens.
    pub iss: String,
    /// The API that it is about: its `api_id`.
    pub aud: String,
    /// When it was signed, in seconds.
    pub iat: i64,
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
}
