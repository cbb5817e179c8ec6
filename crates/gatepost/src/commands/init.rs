//! This file is where a new state is set up.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use gatepost_operations::clock::{Clock, SystemClock};
use gatepost_operations::config::{Config, IssuerSetting};
use gatepost_operations::core::issuer::Issuer;
use gatepost_operations::master_key;
use gatepost_operations::setup::{self, Report};
use serde::Serialize;

use super::{runtime, settings};
use crate::args::{Globals, Init};
use crate::ending::Trouble;
use crate::output::Output;

/// What was set up, as it is printed.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    report: Report,
    issuer: Issuer,
    files: Vec<File>,
}

/// A file or folder that is there now.
#[derive(Serialize)]
struct File {
    path: String,
    mode: String,
}

/// Sets up a new state; one that is in use is left alone.
pub(super) fn run(globals: &Globals, flags: Init, output: Output) -> Result<(), Trouble> {
    let config = settings::load(globals, [("issuer", flags.issuer)])?;
    let issuer = settings::issuer_at(&config, config.server.listen)?;
    if !master_key::path(&config.data).exists() {
        output.note("Making the first signing keys; an RSA key of 4096 bits takes some seconds.");
    }

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let report = runtime::on_one_thread(async { Ok(setup::init(&config, &issuer, &clock).await?) })?;
    let files =
        [&report.data, &report.master_key, &report.database].into_iter().filter_map(|path| written(path));
    let made = Made { files: files.collect(), report, issuer };
    if output.is_json() {
        return output.document(&made);
    }
    output.text(&told(&made))?;
    output.note(&next(&config, globals, &made.issuer));
    Ok(())
}

/// What stands at this path, and who may read it; nothing for a database on a server.
fn written(path: &str) -> Option<File> {
    let mode = Path::new(path).metadata().ok()?.permissions().mode() & 0o7777;
    Some(File { path: path.to_owned(), mode: format!("{mode:04o}") })
}

fn told(made: &Made) -> String {
    let Made { report, issuer, files } = made;
    let remark =
        |path: &str| if path == report.master_key { "  BACK THIS UP, apart from the database" } else { "" };
    let wrote = files.iter().map(|File { path, mode }| format!("Wrote    {mode}  {path}{}\n", remark(path)));
    let wrote: String = wrote.collect();
    format!(
        "{wrote}Store    {}\nKey      {} signs for the API `{}`\nIssuer   {}\n",
        report.database,
        report.kid,
        setup::DEFAULT_API,
        issuer.as_str()
    )
}

/// The commands that come next, with what they need to know beside.
fn next(config: &Config, globals: &Globals, issuer: &Issuer) -> String {
    let data = globals.data.as_ref().map(|data| format!(" --data {}", data.display())).unwrap_or_default();
    let mut keep = String::new();
    if matches!(config.issuer, IssuerSetting::Given(_)) {
        keep += &format!("  export GATEPOST_ISSUER={}   (or `issuer` in a --config file)\n", issuer.as_str());
    }
    if globals.database.is_some() {
        keep += "  export GATEPOST_DATABASE__URL=...   (the address you gave; or `database.url` in a --config file)\n";
    }
    format!(
        "\nNext\n{keep}  gatepost serve{data}\n  gatepost partner create \"Acme Ltd\"{data}\n  \
         gatepost client create --partner acme-ltd --name \"Acme booking system\"{data}"
    )
}
