//! This file is where keys come from: the interface, and keys that are given once and for all.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gatepost_jose::{JwkSet, KeyError, PublicKey};
use thiserror::Error;

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

/// Where a guard gets the keys that its tokens are signed with.
///
/// It may be a JWK set at a URL ([`crate::JwksUrl`]), keys given once ([`FixedKeys`]) or a ring in the same process.
/// The guard asks for them one fetch at a time and keeps what it got while fetches fail.
pub trait KeySource: Send + Sync {
    /// Fetches the keys; `etag` is the one of the last answer, if it had one.
    fn fetch<'a>(&'a self, etag: Option<&'a str>) -> Fetching<'a>;

    /// True if the keys may belong to several APIs; such a set can't tell the tokens of one from another's, so the
    /// passport profile refuses it.
    fn is_shared(&self) -> bool {
        false
    }
}

/// What a fetch brought.
#[derive(Debug, Clone)]
pub enum Fetched {
    /// The keys now, all of them.
    Keys {
        /// The keys.
        keys: Vec<PublicKey>,
        /// The mark by which to ask for changes.
        etag: Option<String>,
        /// How long they count as fresh; five minutes if the source doesn't say.
        max_age: Option<Duration>,
    },
    /// The keys are those of the mark that was given.
    Unchanged {
        /// How long they count as fresh from now on.
        max_age: Option<Duration>,
    },
}

/// Why a fetch brought no keys; the guard logs it and keeps the keys it has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection failed: address, network or certificate.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// The status is neither 200 nor 304; redirects are not followed.
    #[error("the answer has status {0}; redirects are not followed")]
    Status(u16),
    /// The answer is not plain JSON.
    #[error("the answer is not uncompressed JSON")]
    NotJson,
    /// The answer is longer than a key set may be.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// Nothing changed, the source says, but it never gave any keys.
    #[error("the answer is 304, but no keys were fetched before")]
    NothingToKeep,
    /// The answer is no key set that can be used.
    #[error("the key set is refused: {0}")]
    Keys(#[from] KeyError),
}

/// Keys given once: PEM files or a JWK set that came with the deployment.
#[derive(Debug, Clone)]
pub struct FixedKeys(Vec<PublicKey>);

impl FixedKeys {
    /// These keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The usable keys of a JWK set.
    pub fn from_jwks(json: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(JwkSet::parse(json)?.usable()))
    }
}

impl KeySource for FixedKeys {
    fn fetch<'a>(&'a self, _: Option<&'a str>) -> Fetching<'a> {
        let keys = Fetched::Keys { keys: self.0.clone(), etag: None, max_age: Some(Duration::MAX) };
        Box::pin(std::future::ready(Ok(keys)))
    }
}
