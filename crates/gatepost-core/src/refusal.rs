//! This file is where a refused token request is described: a code for the caller, a reason for the log.

use std::borrow::Cow;

use crate::limits::Allowance;

/// What the caller is told, by RFC 6749 section 5.2, RFC 8707 section 2 and RFC 6749 section 4.1.2.1 (the last two).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A parameter is missing, repeated, of the wrong type, or the body can't be read.
    InvalidRequest,
    /// The client is unknown, or did not prove who it is.
    InvalidClient,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// There is no such grant here.
    UnsupportedGrantType,
    /// A scope is malformed, unknown or not granted.
    InvalidScope,
    /// The resource is none of the client's APIs.
    InvalidTarget,
    /// A limit is used up: try again later (the word is that of RFC 8628 section 3.5).
    SlowDown,
    /// Overload, or the store is away: try again later.
    TemporarilyUnavailable,
    /// Something broke here; the log says what.
    ServerError,
}

impl Code {
    /// All of them, in the order in which a developer meets them.
    pub const ALL: [Self; 9] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::SlowDown,
        Self::TemporarilyUnavailable,
        Self::ServerError,
    ];

    /// The code as it stands in the `error` member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::SlowDown => "slow_down",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// A refusal with this code; `reason` is for the log only.
    pub fn because(self, reason: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { code: self, reason: reason.into(), parameter: None, used_up: None, again_in: None }
    }
}

/// A request refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.as_str())]
pub struct Refusal {
    /// What the caller is told.
    pub code: Code,
    /// Why, for the log and the operator; never sent to the caller, never holding a secret or token.
    pub reason: Cow<'static, str>,
    /// The parameter or scope that the caller should look at.
    pub parameter: Option<String>,
    /// The limit that is used up, where one is the reason.
    pub used_up: Option<Allowance>,
    /// In how many seconds it is worth another try, where that is known and no limit says so.
    pub again_in: Option<u64>,
}

impl Refusal {
    /// Names the parameter, or for `invalid_scope` the scope, that the caller should look at.
    #[must_use]
    pub fn about(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = Some(parameter.into());
        self
    }

    /// Says in how many seconds it is worth another try.
    #[must_use]
    pub fn again_in(mut self, seconds: u64) -> Self {
        self.again_in = Some(seconds);
        self
    }

    /// The same request refused by a limit instead: the caller learns of the limit alone, the log of both.
    #[must_use]
    pub fn over(self, used_up: Allowance) -> Self {
        let reason = format!("{}; over the limit `{}`", self.reason, used_up.policy.as_str());
        Self { used_up: Some(used_up), ..Code::SlowDown.because(reason) }
    }
}
