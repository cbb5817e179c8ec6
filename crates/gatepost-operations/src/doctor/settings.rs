//! This file is where the settings in force are looked at: how many were given, where they came from, what is odd.

use std::time::Duration;

use super::Check;
use crate::config::{Config, Source, write_duration};

/// Readers of a key document keep it for five minutes; many keep it for an hour whatever they are told.
const LEAST_AHEAD: Duration = Duration::from_secs(3_600);

/// The settings, and what loading them noticed.
pub fn settings(config: &Config, warnings: &[String]) -> Vec<Check> {
    let mut checks = vec![Check::ok("config", given(config))];
    let fix = "see `gatepost config show` for every setting and where it came from";
    checks.extend(warnings.iter().map(|warning| Check::warn("config", "a setting is odd", warning, fix)));

    let ahead = config.keys.publish_ahead;
    if ahead < LEAST_AHEAD {
        let what = format!("keys.publish_ahead is {}", write_duration(ahead));
        let why = "a verifier that keeps the key set longer refuses the first tokens of a new key";
        checks.push(Check::warn("config", what, why, "set keys.publish_ahead to 24h"));
    }
    checks
}

/// How many settings were given, and by what.
fn given(config: &Config) -> String {
    let all = config.show();
    let given: Vec<_> = all.iter().filter(|one| one.source != Source::Default).collect();
    let mut sources: Vec<String> = given.iter().map(|one| place(&one.source)).collect();
    sources.sort();
    sources.dedup();
    match given.len() {
        0 => format!("{} settings, all by default", all.len()),
        count => format!("{} settings, {count} of them given by {}", all.len(), sources.join(", ")),
    }
}

fn place(source: &Source) -> String {
    match source {
        Source::Flag => "the command line".to_owned(),
        Source::Env(_) => "the environment".to_owned(),
        Source::File(path, _) => path.display().to_string(),
        Source::Default => "default".to_owned(),
    }
}
