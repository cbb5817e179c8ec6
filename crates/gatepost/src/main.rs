//! This file is where the program begins and ends: it reads the command line, lets the command work, and says how it went.

mod args;
mod commands;
mod ending;
mod output;

use std::ffi::OsStr;
use std::io::Write as _;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::CommandLine;
use crate::ending::{Exit, Trouble};

const REPORT: &str = "this is a mistake in Gatepost; report it with the lines above and what you did";

fn main() -> ExitCode {
    panic::set_hook(Box::new(tell_of_panic));
    guarded(run)
}

/// The hook tells of a panic; an exit code of our own keeps the promise that 1 means "failed".
fn guarded(work: impl FnOnce() -> ExitCode) -> ExitCode {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| ExitCode::from(Exit::Failed.code()))
}

fn run() -> ExitCode {
    let json = std::env::args_os().any(|word| word == OsStr::new("--json"));
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return not_understood(&error, json),
    };
    match commands::run(line) {
        Ok(code) => code,
        Err(trouble) => {
            output::report(&trouble, json);
            ExitCode::from(trouble.exit.code())
        }
    }
}

/// Help and version are asked for; anything else is a command line that can't be.
fn not_understood(error: &clap::Error, json: bool) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if json {
        output::report(&usage(error), json);
    } else {
        let _ = error.print();
    }
    ExitCode::from(Exit::Usage.code())
}

/// What clap says, in the three parts that every failure has.
fn usage(error: &clap::Error) -> Trouble {
    let text = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let fix = "name one; --help lists them";
        return Trouble::usage(
            "usage",
            "the command is not complete",
            "a noun needs a verb: partner list",
            fix,
        );
    }
    let what: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let what = what.join(" ");
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("see `gatepost --help`");
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let valid = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            Some(format!("take one of {}", values.join(", ")))
        }
        Some(_) | None => None,
    };
    let fix =
        tip.map(str::to_owned).or(valid).unwrap_or_else(|| "repeat it with --help behind it".to_owned());
    Trouble::usage(
        "usage",
        what.strip_prefix("error: ").unwrap_or(&what),
        format!("the usage is: {usage}"),
        &fix,
    )
}

/// A running server tells its log; a command tells its operator.
fn tell_of_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    // A formatted message may hold anything, a secret too; only what stands in the program is told.
    let why = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("no fixed message");
    if tracing::dispatcher::has_been_set() {
        tracing::error!(target: "gatepost", %place, why, "something broke inside; {REPORT}");
        return;
    }
    let _ = std::io::stderr().write_all(bug_report(why, &place).as_bytes());
}

fn bug_report(why: &str, place: &str) -> String {
    format!(
        "error: something broke inside\n  why: {} ({place})\n  fix: {REPORT}\n",
        output::escaping::printable(why)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> Trouble {
        usage(&CommandLine::try_parse_from([&["gatepost"], words].concat()).unwrap_err())
    }

    #[test]
    fn a_misspelt_command_is_a_usage_failure_with_a_suggestion() {
        let trouble = refused(&["partner", "crate", "--json"]);

        assert_eq!(trouble.exit, Exit::Usage);
        assert_eq!(trouble.what, "unrecognized subcommand 'crate'");
        assert!(trouble.fix.contains("create"), "{}", trouble.fix);
    }

    #[test]
    fn a_panic_ends_with_1_and_asks_for_a_report() {
        assert_eq!(guarded(|| panic!("on purpose")), ExitCode::from(1));
        let text = bug_report("index\n out of range", "src/main.rs:1:1");
        assert!(
            text.starts_with(
                "error: something broke inside\n  why: index\\n out of range (src/main.rs:1:1)\n"
            )
        );
        assert!(text.contains("report it"), "{text}");
    }

    #[test]
    fn a_noun_alone_is_a_usage_failure() {
        let trouble = refused(&["partner"]);
        assert_eq!((trouble.exit, trouble.what.as_str()), (Exit::Usage, "the command is not complete"));
    }

    #[test]
    fn a_missing_argument_and_a_wrong_value_are_named() {
        assert!(refused(&["client", "create", "--name", "n"]).what.contains("--partner <PARTNER>"));
        let wrong = refused(&["api", "create", "a", "--audience", "https://a", "--profile", "jwt"]);
        assert!(wrong.what.contains("jwt") && wrong.fix.contains("rfc9068"), "{wrong:?}");
    }
}
