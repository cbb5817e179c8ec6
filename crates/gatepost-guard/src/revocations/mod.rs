//! This folder is where a token that is otherwise valid may turn out to be revoked.
//!
//! A guard asks whoever implements [`RevocationCheck`], or follows the server's feed: [`Feed`] says where it is,
//! [`FeedClaims`] is what it says, [`RevocationSet`] is what has been heard so far.

pub(crate) mod feed;
mod feed_error;
pub(crate) mod follow;
pub(crate) mod news;
pub(crate) mod set;

pub use feed::{FEED_LIFE, FEED_TYP, FeedClaims};
pub use feed_error::FeedError;
pub use follow::FeedStatus;
pub use news::{AfterThat, Feed};
pub use set::RevocationSet;

use crate::caller::Caller;

/// Says whether a token was revoked; asked at every call, also for tokens that were seen before, so it must be fast.
pub trait RevocationCheck: Send + Sync {
    /// True if the token, its client, its partner or its key was revoked.
    fn is_revoked(&self, caller: &Caller) -> bool;
}

/// No token is revoked before it expires; keep lifetimes short.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRevocations;

impl RevocationCheck for NoRevocations {
    fn is_revoked(&self, _: &Caller) -> bool {
        false
    }
}
