//! This file is where an API chooses the shape of its tokens; `tokens/profile/` writes them.

use serde::{Deserialize, Serialize};

/// The shape of an API's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "profile", rename_all = "snake_case")]
pub enum Profile {
    /// The origin page's shape, as Laravel Passport writes it.
    Passport(PassportOptions),
    /// RFC 9068.
    Rfc9068,
}

impl Profile {
    /// The profile's name, as commands and lists say it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Passport(_) => "passport",
            Self::Rfc9068 => "rfc9068",
        }
    }

    /// Whether headers name the key, as tokens are written now. Where they do not, the `jti` names it to our own readers
    /// ([`gatepost_jose::key_in_jti`]); others have the one key that signs.
    pub const fn names_key(&self) -> bool {
        match self {
            Self::Passport(options) => options.kid,
            Self::Rfc9068 => true,
        }
    }

    /// Whether a good token may come without `kid`, for its `jti` names the key. What is chosen now does not count: tokens
    /// of before may still be under way.
    pub const fn may_leave_out_kid(&self) -> bool {
        match self {
            Self::Passport(_) => true,
            Self::Rfc9068 => false,
        }
    }
}

/// What an API of this profile may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassportOptions {
    /// How dates are written.
    pub timestamps: Timestamps,
    /// Whether the header names the key.
    pub kid: bool,
    /// What `sub` holds.
    pub sub: Sub,
    /// Whether integer client ids may stand in `sub`, where a reader could take them for users (CVE-2026-39976).
    pub allow_integer_sub: bool,
}

impl PassportOptions {
    /// Whether `sub` holds the client's id.
    pub fn puts_client_into_sub(&self) -> bool {
        self.sub == Sub::ClientId
    }
}

/// How dates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// With microseconds, as Passport does.
    #[default]
    Micros,
    /// Whole seconds, rounded down.
    Seconds,
}

/// What `sub` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sub {
    /// An empty text, as Passport 12 and older do.
    #[default]
    Empty,
    /// The client's id, as Passport 13 does.
    ClientId,
}
