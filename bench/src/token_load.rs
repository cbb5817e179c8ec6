//! This file is where it is said by whoever wants tokens measured what they are and how long it may take.

use std::path::PathBuf;
use std::time::Duration;

use crate::arguments::Plan;
use crate::subject::Subject;

/// Tokens as fast as this machine gives them.
#[derive(Debug, Clone)]
pub struct TokenLoad {
    /// The program under test; it also signs alone, when told so by `own_words`.
    pub program: PathBuf,
    /// How this program is told to sign alone.
    pub own_words: &'static [&'static str],
    /// What tokens are signed with.
    pub algorithm: Subject,
    /// Connections that each keep one request under way.
    pub connections: u16,
    /// Pairs of slices: signing alone, the server.
    pub slices: u16,
    /// How long a slice is.
    pub slice: Duration,
}

impl TokenLoad {
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            own_words: self.own_words,
            slices: self.slices,
            slice: self.slice,
            warm_up: self.slice.min(Duration::from_secs(2)),
            starts: 0,
            idle: Duration::ZERO,
            pairs: 0,
            quick: false,
        }
    }
}
