//! This file is where everything that can be wrong is told, each thing with its mend.

use std::process::ExitCode;
use std::sync::Arc;

use gatepost_operations::clock::{Clock, SystemClock};
use gatepost_operations::config::{Config, Loaded};
use gatepost_operations::doctor::{self, Check, Outcome};
use gatepost_server::connections::tls::TlsReloader;
use serde::Serialize;

use super::{runtime, settings};
use crate::args::Globals;
use crate::ending::{Exit, Trouble};
use crate::output::Output;
use crate::output::escaping::printable;

const DAY: i64 = 86_400;

/// What programs get: the verdict, every check, and a failure as any other command's when a check said no.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    checks: &'a [Check],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Said>,
}

#[derive(Serialize)]
struct Said {
    code: &'static str,
    what: String,
    why: String,
    fix: &'static str,
    exit: u8,
}

/// Makes every check that can be made, and prints them all.
pub(super) fn run(globals: &Globals, output: Output) -> Result<ExitCode, Trouble> {
    let checks = match settings::layers(globals, []) {
        Ok(loaded) => examine(loaded)?,
        Err(trouble) => vec![unusable(trouble)],
    };
    let failed: Vec<&str> =
        checks.iter().filter(|check| check.outcome == Outcome::Fail).map(|check| check.name).collect();
    let error = (!failed.is_empty()).then(|| said(&failed));
    if output.is_json() {
        output.document(&Report { ok: failed.is_empty(), checks: &checks, error })?;
    } else {
        output.text(&checks.iter().map(told).collect::<String>())?;
        output.note(&summary(&checks));
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(Exit::SaidNo.code()) })
}

fn examine(loaded: Loaded) -> Result<Vec<Check>, Trouble> {
    let Loaded { config, warnings } = loaded;
    let mut checks = doctor::settings(&config, &warnings);
    checks.extend(certificate(&config));
    let issuer = match settings::issuer(&config) {
        Ok(issuer) => issuer,
        Err(trouble) => {
            checks.push(unusable(trouble));
            return Ok(checks);
        }
    };
    let state = runtime::on_one_thread(Box::pin(async {
        Ok(doctor::state(config, issuer, Arc::new(SystemClock)).await)
    }));
    checks.extend(state?);
    Ok(checks)
}

/// The certificate and its key, as the server would read them.
fn certificate(config: &Config) -> Option<Check> {
    let files = config.tls.files.clone()?;
    let place = files.cert.display().to_string();
    let fix = "renew it, then send the server SIGHUP";
    let check = match TlsReloader::load(files, config.tls.min_version) {
        Err(error) => Check::fail("tls", "the certificate can't be used", error.to_string(), fix),
        Ok(pair) => {
            let now = SystemClock.now();
            let days = pair.validity().not_after.saturating_sub(now.seconds()).div_euclid(DAY);
            match pair.warning(now) {
                Some(why) if days < 0 => Check::fail("tls", "the certificate is out of its time", why, fix),
                Some(why) => Check::warn("tls", "the certificate wants renewing", why, fix),
                None => Check::ok("tls", format!("the certificate {place} is valid for {days} more days")),
            }
        }
    };
    Some(check)
}

fn unusable(trouble: Trouble) -> Check {
    let Trouble { what, why, fix, .. } = trouble;
    Check::fail("config", what, why, fix)
}

fn said(failed: &[&str]) -> Said {
    Said {
        code: "doctor.said_no",
        what: format!("{} of the checks said no", failed.len()),
        why: failed.join(", "),
        fix: "each check says how to mend it",
        exit: Exit::SaidNo.code(),
    }
}

/// A check for people: one line when all is well, else with the reason and the mend.
fn told(check: &Check) -> String {
    let mark = match check.outcome {
        Outcome::Ok => "ok  ",
        Outcome::Warn => "warn",
        Outcome::Fail => "FAIL",
    };
    let mut text = format!("{mark}  {:10}  {}\n", check.name, printable(&check.what));
    for (word, more) in [("why", &check.why), ("fix", &check.fix)] {
        if let Some(more) = more {
            text += &format!("                  {word}: {}\n", printable(more));
        }
    }
    text
}

fn summary(checks: &[Check]) -> String {
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    match (count(Outcome::Fail), count(Outcome::Warn)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warned) => format!("Nothing fails; {warned} to look at."),
        (failed, warned) => format!("{failed} failed, {warned} to look at."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_is_well_takes_one_line_and_others_say_why_and_how_to_mend() {
        assert_eq!(told(&Check::ok("store", "SQLite")), "ok    store       SQLite\n");
        let text = told(&Check::fail("keys", "no key", "b\u{1b}ad", "make one"));
        assert_eq!(
            text,
            "FAIL  keys        no key\n                  why: b\\u{1b}ad\n                  fix: make one\n"
        );
    }

    #[test]
    fn the_last_line_counts_what_is_not_well() {
        let warned = Check::warn("tls", "a", "b", "c");
        assert_eq!(summary(&[Check::ok("store", "a")]), "All is well.");
        assert_eq!(summary(std::slice::from_ref(&warned)), "Nothing fails; 1 to look at.");
        assert_eq!(summary(&[warned, Check::fail("keys", "a", "b", "c")]), "1 failed, 1 to look at.");
    }
}
