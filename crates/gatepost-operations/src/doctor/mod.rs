//! This folder is where everything that can be wrong with an installation is looked at, and each thing gets its mend.
//!
//! A check is a value; nothing here prints, and nothing changes the state beyond what opening it does. A check that can't
//! be made because an earlier one failed is left out: it would only repeat the cause.

mod clock;
mod damage;
mod folder;
mod keys;
mod secrets;
mod server;
mod settings;

use std::path::Path;
use std::sync::Arc;

use gatepost_core::issuer::Issuer;
use serde::Serialize;

pub use settings::settings;

use crate::clock::Clock;
use crate::config::Config;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::{master_key, setup};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, but should be looked at.
    Warn,
    /// It does not work, or is not safe.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, in a word.
    pub name: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found.
    pub what: String,
    /// Why that is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    /// All is well.
    pub fn ok(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Ok, what: what.into(), why: None, fix: None }
    }

    /// It should be looked at.
    pub fn warn(
        name: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (why, fix) = (Some(why.into()), Some(fix.into()));
        Self { name, outcome: Outcome::Warn, what: what.into(), why, fix }
    }

    /// It does not work, or is not safe.
    pub fn fail(
        name: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Fail, ..Self::warn(name, what, why, fix) }
    }

    /// A failed operation, as the check that it was part of.
    pub fn of(name: &'static str, failure: Failure) -> Self {
        Self::fail(name, failure.what, failure.why, failure.fix)
    }
}

/// Looks at the folder, the store and what is in it, and at the server that serves it.
pub async fn state(config: Config, issuer: Issuer, clock: Arc<dyn Clock>) -> Vec<Check> {
    let mut checks = folder::checks(&config);
    let gate = match open(config, issuer, clock).await {
        Ok(gate) => gate,
        // The look at the folder has said it.
        Err(check) if check.name == "data" => return checks,
        Err(check) => {
            checks.push(*check);
            return checks;
        }
    };
    checks.push(damage::check(&gate).await);
    checks.extend(inside(&gate).await.unwrap_or_else(|failure| vec![Check::of("store", failure)]));
    gate.store.close().await;
    checks
}

/// The open state, or the check that says why it can't be opened.
async fn open(config: Config, issuer: Issuer, clock: Arc<dyn Clock>) -> Result<Gate, Box<Check>> {
    setup::open(config, issuer, clock).await.map_err(|failure| Box::new(Check::of(part(&failure), failure)))
}

/// Which part of the state a failure to open it is about.
fn part(failure: &Failure) -> &'static str {
    match failure.code.split('.').next() {
        Some("master_key") => "master_key",
        Some("key") => "keys",
        Some("data") => "data",
        Some(_) | None => "store",
    }
}

/// Looks at what is in the open state, and at the server.
pub async fn inside(gate: &Gate) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![
        store(gate).await?,
        Check::ok(
            "master_key",
            format!("{} opens every key", file_name(&master_key::path(&gate.config.data))),
        ),
    ];
    checks.push(clock::check(gate).await?);
    checks.extend(keys::checks(gate).await?);
    checks.push(secrets::check(gate).await?);
    checks.push(server::check(gate).await);
    Ok(checks)
}

async fn store(gate: &Gate) -> Result<Check, Failure> {
    gate.store.ping().await?;
    let (engine, place) = (gate.store.engine().await?, setup::place(&gate.config));
    Ok(Check::ok("store", format!("{engine} at {place}, {} changes so far", gate.store.head().await?)))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
