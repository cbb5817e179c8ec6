//! This file is where a failed operation says what failed, why, and how to mend it.

use gatepost_core::apis::BadApi;
use gatepost_core::clients::BadClient;
use gatepost_core::name::BadName;
use gatepost_core::scope::BadScope;
use gatepost_jose::KeyError;
use gatepost_store::StoreError;

use crate::config::ConfigError;

/// What kind of failure it is; edges turn it into exit codes and statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something unexpected broke.
    Internal,
    /// What was asked for is not a possible thing to ask.
    Invalid,
    /// The configuration or the master key file is not usable.
    Configuration,
    /// The store can't be reached or read.
    Unavailable,
    /// There is no such thing.
    NotFound,
    /// It is taken, has moved on, or is the last of its kind.
    Conflict,
    /// A check was made and said no.
    Refused,
}

/// What a failure is called when the state says otherwise: what was decided on has moved on, or a name is taken.
pub(crate) const MOVED_ON: &str = "store.conflict";

/// A failed operation, for people and programs; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// A stable word for programs, such as `partner.not_found`.
    pub code: &'static str,
    /// What failed.
    pub what: String,
    /// Why.
    pub why: String,
    /// How to mend it.
    pub fix: String,
}

impl Failure {
    /// A failure of that kind, in the caller's words.
    pub fn new(
        kind: Kind,
        code: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { kind, code, what: what.into(), why: why.into(), fix: fix.into() }
    }

    /// Something that should not happen.
    pub fn internal(code: &'static str, why: impl Into<String>) -> Self {
        Self::new(
            Kind::Internal,
            code,
            "something broke inside",
            why,
            "try again; if it stays, report it with the log",
        )
    }

    /// There is no such `noun`.
    pub fn not_found(code: &'static str, noun: &str, name: &str, list: &str) -> Self {
        let what = format!("there is no {noun} `{}`", name.escape_debug());
        Self::new(
            Kind::NotFound,
            code,
            what,
            "nothing of that name or id is in this store",
            format!("see `{list}`"),
        )
    }

    /// It is not resumed, for its time is over.
    pub(crate) fn has_expired(noun: &'static str, name: &str) -> Self {
        Self::new(
            Kind::Conflict,
            "expired",
            format!("the {noun} `{}` has expired", name.escape_debug()),
            "its time is over",
            format!("give it a later end: `gatepost {noun} update {name} --expires T` (or `never`)"),
        )
    }

    /// This build has no library that holds RSA keys of four primes.
    pub(crate) fn four_primes_absent(what: impl Into<String>) -> Self {
        Self::new(
            Kind::Configuration,
            "key.primes_absent",
            what,
            "it was built without the feature `multi-prime`, and so without OpenSSL, which alone holds them",
            "use a program that `make release` made, or build one with `cargo build --release -p gatepost --features multi-prime`",
        )
    }

    /// The request itself can't be.
    pub fn invalid(code: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, code, what, "it breaks a rule", fix)
    }

    /// The same failure, with a reason of its own.
    pub(crate) fn because(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Self::new(
                Kind::Conflict,
                MOVED_ON,
                what,
                "the state says otherwise",
                "look at it again and repeat",
            ),
            StoreError::NotFound(what) => Self::new(
                Kind::NotFound,
                "store.not_found",
                what,
                "it is not in this store",
                "look at the list and repeat",
            ),
            StoreError::Unavailable(why) => Self::new(
                Kind::Unavailable,
                "store.unavailable",
                "the store is not available",
                why,
                "see that the database runs, has space and may be written, then try again",
            ),
            StoreError::Unreadable(why) => Self::new(
                Kind::Unavailable,
                "store.unreadable",
                "the store can't be read",
                why,
                "give the right --data folder or --database address, or restore a backup",
            ),
        }
    }
}

impl From<BadName> for Failure {
    fn from(bad: BadName) -> Self {
        Self::invalid("name.bad", bad.0, "choose another name")
    }
}

impl From<BadScope> for Failure {
    fn from(bad: BadScope) -> Self {
        Self::invalid("scope.bad", bad.to_string(), "write it like `bookings:create`")
    }
}

impl From<BadApi> for Failure {
    fn from(bad: BadApi) -> Self {
        let fix = match bad {
            BadApi::Audience => "write it like https://api.example.com",
            BadApi::PassportAlgorithm => "leave --alg away or take --profile rfc9068",
        };
        Self::invalid("api.bad", bad.to_string(), fix)
    }
}

impl From<BadClient> for Failure {
    fn from(bad: BadClient) -> Self {
        let fix = match &bad {
            BadClient::NoApi => "name one with --api",
            BadClient::ScopeUnknown(_) => "create it with `gatepost scope create`, or name another",
            BadClient::DefaultNotGranted(_) => "grant it with --scope as well",
            BadClient::TooLong { .. } => "take a shorter one or raise tokens.max_lifetime",
        };
        Self::invalid("client.bad", bad.to_string(), fix)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::internal("key.unusable", error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Kind::Configuration, error.code(), error.what(), error.why(), error.fix())
    }
}
