//! This file is where it is decided how the program ends: the exit codes, and the text of what went wrong.
//!
//! Failures become exit codes here and nowhere else; docs/reference/exit-codes.md explains them.

use gatepost_operations::config::ConfigError;
use gatepost_operations::core::refusal::{Code, Refusal};
use gatepost_operations::failure::{Failure, Kind};
use serde::Serialize;

use crate::output::escaping::printable;

/// Why a command did not succeed, as a number for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something unexpected broke.
    Failed,
    /// The command is not a possible thing to ask.
    Usage,
    /// The configuration or the master key file is not usable.
    Configuration,
    /// The store or the server can't be reached or read.
    Unavailable,
    /// Who asks may not have it.
    NotAllowed,
    /// There is no such thing.
    NotFound,
    /// It is taken, has moved on, or is the last of its kind.
    Conflict,
    /// A check was made and said no.
    SaidNo,
    /// A limit is used up.
    RateLimited,
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::Unavailable => 4,
            Self::NotAllowed => 5,
            Self::NotFound => 6,
            Self::Conflict => 7,
            Self::SaidNo => 8,
            Self::RateLimited => 9,
        }
    }

    fn of_failure(kind: Kind) -> Self {
        match kind {
            Kind::Internal => Self::Failed,
            Kind::Invalid => Self::Usage,
            Kind::Configuration => Self::Configuration,
            Kind::Unavailable => Self::Unavailable,
            Kind::NotFound => Self::NotFound,
            Kind::Conflict => Self::Conflict,
            Kind::Refused => Self::SaidNo,
        }
    }

    fn of_refusal(code: Code) -> Self {
        match code {
            Code::InvalidClient | Code::UnauthorizedClient | Code::InvalidScope | Code::InvalidTarget => {
                Self::NotAllowed
            }
            Code::InvalidRequest | Code::UnsupportedGrantType => Self::Usage,
            Code::SlowDown => Self::RateLimited,
            Code::TemporarilyUnavailable => Self::Unavailable,
            Code::ServerError => Self::Failed,
        }
    }
}

/// A command that did not succeed: what, why, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// A stable word for programs, such as `partner.not_found`.
    pub(crate) code: &'static str,
    /// What did not succeed.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
    /// How to mend it.
    pub(crate) fix: String,
}

#[derive(Serialize)]
struct Document<'a> {
    error: Members<'a>,
}

#[derive(Serialize)]
struct Members<'a> {
    code: &'static str,
    what: &'a str,
    why: &'a str,
    fix: &'a str,
    exit: u8,
}

impl Trouble {
    /// A command that can't be, in the command line's own words.
    pub(crate) fn usage(
        code: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: &str,
    ) -> Self {
        Self { exit: Exit::Usage, code, what: what.into(), why: why.into(), fix: fix.to_owned() }
    }

    /// Something that should not happen.
    pub(crate) fn internal(code: &'static str, why: impl Into<String>) -> Self {
        Failure::internal(code, why).into()
    }

    /// The text for people.
    pub(crate) fn text(&self) -> String {
        let (what, why, fix) = (printable(&self.what), printable(&self.why), printable(&self.fix));
        format!("error: {what}\n  why: {why}\n  fix: {fix}\n")
    }

    /// The document for programs.
    pub(crate) fn document(&self) -> String {
        let Self { exit, code, what, why, fix } = self;
        let error = Members { code, what, why, fix, exit: exit.code() };
        // Texts always serialize; an empty object is the honest fallback for the impossible.
        serde_json::to_string(&Document { error }).unwrap_or_else(|_| "{}".to_owned()) + "\n"
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let Failure { kind, code, what, why, fix } = failure;
        Self { exit: Exit::of_failure(kind), code, what, why, fix }
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Refusal> for Trouble {
    /// The reason is for the operator alone, and at the command line the operator is who asks.
    fn from(refusal: Refusal) -> Self {
        let fix = match &refusal.used_up {
            Some(used_up) => format!("wait {} seconds; see `gatepost limit show CLIENT`", used_up.reset),
            None => "see `gatepost client show CLIENT` and `gatepost secret list CLIENT` for what the client may do".to_owned(),
        };
        let about = refusal.parameter.map(|name| format!(" (`{name}`)")).unwrap_or_default();
        Self {
            exit: Exit::of_refusal(refusal.code),
            code: refusal.code.as_str(),
            what: format!("no token: {}{about}", refusal.code.as_str()),
            why: refusal.reason.into_owned(),
            fix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        let cases = [
            (Kind::Internal, 1),
            (Kind::Invalid, 2),
            (Kind::Configuration, 3),
            (Kind::Unavailable, 4),
            (Kind::NotFound, 6),
            (Kind::Conflict, 7),
            (Kind::Refused, 8),
        ];
        for (kind, code) in cases {
            let failure = Failure::new(kind, "a.b", "what", "why", "fix");
            assert_eq!(Trouble::from(failure).exit.code(), code, "{kind:?}");
        }
    }

    #[test]
    fn a_failure_says_what_why_and_fix_to_people_and_programs() {
        let trouble = Trouble::usage("a.b", "no \"x\"", "because\u{1b}[2J", "try y");

        assert_eq!(trouble.text(), "error: no \"x\"\n  why: because\\u{1b}[2J\n  fix: try y\n");
        let document: serde_json::Value = serde_json::from_str(&trouble.document()).unwrap();
        let members =
            ["code", "what", "why", "fix"].map(|name| document["error"][name].as_str().unwrap().to_owned());
        assert_eq!(members, ["a.b", "no \"x\"", "because\u{1b}[2J", "try y"]);
        assert_eq!(document["error"]["exit"], 2);
    }

    #[test]
    fn the_page_of_exit_codes_names_each_of_them() {
        let page = include_str!("../../../docs/reference/exit-codes.md");
        let all = [
            Exit::Failed,
            Exit::Usage,
            Exit::Configuration,
            Exit::Unavailable,
            Exit::NotAllowed,
            Exit::NotFound,
            Exit::Conflict,
            Exit::SaidNo,
            Exit::RateLimited,
        ];
        for exit in all {
            assert!(page.contains(&format!("\n| {} |", exit.code())), "{exit:?}");
        }
    }
}
