//! This file is where a configuration that can't be used says what is wrong, why and how to mend it.

use std::fmt;

/// A configuration that the program refuses to start with; every command ends with exit code 3 on it.
///
/// No text of it holds the value of a setting that is marked secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problem: Problem,
    what: String,
    why: String,
    fix: String,
}

/// The kinds of trouble a configuration can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A file could not be read.
    Unreadable,
    /// The configuration file is not TOML.
    NotToml,
    /// A name that is no setting.
    UnknownSetting,
    /// A value that its setting does not take.
    BadValue,
    /// Settings that exclude one another.
    Conflict,
    /// A setting that must be there and is not.
    Missing,
    /// Plain HTTP on an address that others can reach.
    PlainHttpInPublic,
}

impl ConfigError {
    pub(super) fn new(
        problem: Problem,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { problem, what: what.into(), why: why.into(), fix: fix.into() }
    }

    /// Which kind of trouble it is.
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// A stable word for programs, such as `config.unknown_setting`.
    pub fn code(&self) -> &'static str {
        match self.problem {
            Problem::Unreadable => "config.unreadable",
            Problem::NotToml => "config.not_toml",
            Problem::UnknownSetting => "config.unknown_setting",
            Problem::BadValue => "config.bad_value",
            Problem::Conflict => "config.conflict",
            Problem::Missing => "config.missing",
            Problem::PlainHttpInPublic => "config.plain_http_in_public",
        }
    }

    /// What is wrong, with the setting and the place it came from.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why that can't be.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// How to mend it.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config: {}: {}; {}", self.what, self.why, self.fix)
    }
}

impl std::error::Error for ConfigError {}
