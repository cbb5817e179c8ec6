//! This file is where a command gets its configuration: global flags over environment over file over defaults.

use gatepost_operations::config::{Config, IssuerSetting, Loaded, Overrides};
use gatepost_operations::core::issuer::Issuer;
use gatepost_operations::running;

use crate::args::Globals;
use crate::ending::{Exit, Trouble};
use crate::output::Output;

/// A setting and what a flag says of it.
pub(super) type Flag = (&'static str, Option<String>);

/// Loads the configuration for a command, and says what was noticed on the way.
pub(super) fn load(globals: &Globals, flags: impl IntoIterator<Item = Flag>) -> Result<Config, Trouble> {
    let Loaded { config, warnings } = layers(globals, flags)?;
    warnings.iter().for_each(|warning| Output::of(globals).warn(warning));
    Ok(config)
}

/// Loads the configuration; the warnings are the caller's to tell.
pub(super) fn layers(globals: &Globals, flags: impl IntoIterator<Item = Flag>) -> Result<Loaded, Trouble> {
    let database = ("database.url", globals.database.clone());
    let said = flags.into_iter().chain([database]);
    let overrides = Overrides {
        config_file: globals.config.clone(),
        data: globals.data.clone(),
        flags: said.filter_map(|(key, value)| Some((key.to_owned(), value?))).collect(),
    };
    Ok(Config::load(overrides, environment())?)
}

/// The environment; text that is not UTF-8 is kept readable, so that a broken setting is named rather than lost.
fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// Who the tokens say issued them: as configured, else as the server of this folder is reached, else as it would be.
pub(super) fn issuer(config: &Config) -> Result<Issuer, Trouble> {
    let by_address = matches!(config.issuer, IssuerSetting::PublicAddress { .. });
    let served = running::look(&config.data).filter(|_| by_address);
    if let Some(issuer) = served.and_then(|server| Issuer::parse(&server.public_url).ok()) {
        return Ok(issuer);
    }
    issuer_at(config, config.server.listen)
}

/// Who the tokens say issued them when the public port is bound to that address.
pub(super) fn issuer_at(config: &Config, bound: std::net::SocketAddr) -> Result<Issuer, Trouble> {
    config.issuer.at(bound).map_err(|bad| Trouble {
        exit: Exit::Configuration,
        code: "config.issuer",
        what: format!("{bound} names no issuer"),
        why: bad.to_string(),
        fix: "set `issuer` to the public address, such as https://auth.example.com".to_owned(),
    })
}

/// Whether the state has one server at most.
pub(super) fn is_one_process(config: &Config) -> bool {
    config.database.location.is_one_process()
}
