//! This file is where the version is told, and what was built in that a plain build does not have.

use gatepost_operations::jose::Primes;
use serde::Serialize;

use crate::ending::Trouble;
use crate::output::Output;

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
}

/// Prints the version.
pub(super) fn run(output: Output) -> Result<(), Trouble> {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let version = Version { name, version, features: features() };
    if output.is_json() {
        return output.document(&version);
    }
    output.text(&page(&version))
}

/// The optional features of this build, by cargo's names.
const fn features() -> &'static [&'static str] {
    if Primes::Four.can_be_held() { &["multi-prime"] } else { &[] }
}

fn page(version: &Version) -> String {
    let Version { name, version, features } = version;
    let features = if features.is_empty() { "none".to_owned() } else { features.join(" ") };
    format!("{name} {version}\nfeatures: {features}\n")
}
