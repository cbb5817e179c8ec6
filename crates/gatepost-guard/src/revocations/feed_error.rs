//! This file is where it is said why a revocation feed was not heard, or not believed.

use gatepost_jose::Rejection;
use thiserror::Error;

use crate::key_source::FetchError;

/// Why the feed was not heard; the guard logs it, counts it and tries again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedError {
    /// The request failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The server does not accept the API's id and secret.
    #[error("the server refuses the api_id or its secret; make a new one with `gatepost api secret add`")]
    Credentials,
    /// The metadata are of another issuer or name no service key.
    #[error("the server's metadata are not of this issuer, or name no service key")]
    Metadata,
    /// The answer is no feed that the service key signed.
    #[error("the feed is refused: {0}")]
    Signature(#[from] Rejection),
    /// The answer is signed, but its claims are not those of a feed.
    #[error("the feed's claims can't be read; is the guard older than the server?")]
    Claims,
    /// It is another issuer's.
    #[error("the feed is of another issuer")]
    Issuer,
    /// It is about another API.
    #[error("the feed is about another API")]
    Audience,
    /// An older one was sent again.
    #[error("the feed is much older than one that was heard before")]
    Older,
    /// It has expired.
    #[error("the feed has expired; is a cache in between, or are the clocks of server and API apart?")]
    Expired,
    /// It is of a time that has not come yet.
    #[error("the feed is of a time that has not come yet; are the clocks of server and API apart?")]
    Early,
}
