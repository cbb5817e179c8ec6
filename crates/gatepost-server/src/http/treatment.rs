//! This file is where it stands which endpoints the layers treat otherwise than the rest, and how.

use std::time::Duration;

/// The endpoint that proxies ask before they let a request through.
pub(crate) const FORWARD_AUTH: &str = "/forward-auth";

/// The endpoint that waits for news.
pub(crate) const REVOCATIONS: &str = "/oauth2/revocations";

/// How long it waits at most.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How the layers treat a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// As most.
    Ordinary,
    /// Its answer may wait for news.
    Waiting,
    /// A proxy reads three statuses and turns all others into failures of its own, some into permission. So whatever
    /// goes wrong is 403; methods are all the same, and bodies, which proxies leave out, are not read.
    Verdict,
}

impl Treatment {
    /// By the path alone.
    pub(crate) fn of(path: &str) -> Self {
        match path {
            FORWARD_AUTH => Self::Verdict,
            REVOCATIONS => Self::Waiting,
            _ => Self::Ordinary,
        }
    }

    /// How long an answer may take where most may take `usual`.
    pub(crate) fn patience(self, usual: Duration) -> Duration {
        match self {
            Self::Ordinary | Self::Verdict => usual,
            Self::Waiting => usual.saturating_add(LONGEST_WAIT),
        }
    }
}
