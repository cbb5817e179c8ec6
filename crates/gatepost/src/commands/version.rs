//! This file is where the version is told.

use serde::Serialize;

use crate::ending::Trouble;
use crate::output::Output;

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

/// Prints the version.
pub(super) fn run(output: Output) -> Result<(), Trouble> {
    let version = Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    if output.is_json() {
        return output.document(&version);
    }
    output.text(&format!("{} {}\n", version.name, version.version))
}
