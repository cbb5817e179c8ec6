//! This file is where configuration begins: what may be set, and how a checked [`Config`] comes about.
//!
//! Four layers are laid over one another: defaults, the file, the environment, the command line;
//! the upper one wins ([`Config::load`]).
//! Each value remembers where it came from ([`Config::explain`]).
//! Every setting stands once, in the table of its section's file; loading, `config explain`,
//! `docs/reference/config.md` and `gatepost.example.toml` are made from that table.
//! A [`Config`] that exists is valid: what can't be used never gets past `load`.

mod amount;
mod cache;
mod clients;
mod database;
mod dev;
mod docs;
mod environment;
mod error;
mod explain;
mod file;
mod given;
mod keys;
mod layers;
mod limits;
mod log;
mod origin;
mod place;
pub mod reference;
mod refusals;
mod revocations;
mod server;
mod setting;
mod signing;
mod table;
mod tls;
mod tokens;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub use amount::{parse_duration, parse_size, write_duration, write_size};
pub use cache::Cache;
pub use clients::{AssertionAudiences, Clients};
pub use database::Database;
pub use dev::Dev;
pub use docs::Docs;
pub use error::{ConfigError, Problem};
pub use explain::{Explained, Source};
pub use keys::Keys;
pub use limits::Limits;
pub use log::{LogFormat, LogLevel, LogSettings};
pub use origin::{ErrorStyle, Origin};
pub use place::IssuerSetting;
pub use refusals::Refusals;
pub use revocations::Revocations;
pub use server::Server;
pub use setting::{Kind, Setting};
pub use signing::Signing;
pub use table::{find, settings};
pub use tls::{MinVersion, Tls, TlsFiles};
pub use tokens::Tokens;

use given::Given;
use layers::Layer;
use values::Values;

/// The checked configuration.
#[derive(Clone)]
pub struct Config {
    /// Who this server says it is.
    pub issuer: IssuerSetting,
    /// The folder of the state.
    pub data: PathBuf,
    /// The listeners, their limits and times.
    pub server: Server,
    /// How TLS is spoken.
    pub tls: Tls,
    /// The store.
    pub database: Database,
    /// The origin door.
    pub origin: Origin,
    /// How long tokens live.
    pub tokens: Tokens,
    /// How signing keys are made.
    pub keys: Keys,
    /// The signing pool.
    pub signing: Signing,
    /// How clients are kept.
    pub clients: Clients,
    /// How often clients and addresses may ask and fail.
    pub limits: Limits,
    /// How fresh what is kept in memory is.
    pub cache: Cache,
    /// How the log is written.
    pub log: LogSettings,
    /// How many refusals are kept.
    pub refusals: Refusals,
    /// How many revocations a client may make.
    pub revocations: Revocations,
    /// What `gatepost dev` adds.
    pub dev: Dev,
    /// The page a partner's developer reads.
    pub docs: Docs,
    values: Values,
}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config`: the file; otherwise `GATEPOST_CONFIG` names it, otherwise there is none.
    pub config_file: Option<PathBuf>,
    /// `--data`: the folder of the state.
    pub data: Option<PathBuf>,
    /// Any other setting given as a flag: its key and its value, lists comma separated.
    pub flags: Vec<(String, String)>,
}

/// A configuration and what was noticed on the way to it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// Sentences for the operator, each about something that is allowed but probably not meant.
    pub warnings: Vec<String>,
}

impl Config {
    /// Lays the layers over one another and checks the result.
    ///
    /// The environment comes as an argument; files are read where the arguments name them.
    pub fn load(
        overrides: Overrides,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigError> {
        let variables: BTreeMap<String, String> = environment.into_iter().collect();
        let environment = environment::read(&variables)?;
        let named = variables.get(environment::CONFIG).filter(|path| !path.is_empty()).map(PathBuf::from);
        let file = match overrides.config_file.or(named) {
            Some(path) => file::read(&path)?,
            None => Layer::default(),
        };
        let mut flags = Layer::flags(&overrides.flags)?;
        if let (Some(data), Some(setting)) = (overrides.data, find("data")) {
            let folder = Given::Text(data.to_string_lossy().into_owned());
            flags.say(setting, folder, Source::Flag);
        }

        let merged = layers::merge(vec![Layer::defaults(), file, environment.layer, flags])?;
        let config = Self::check(Values::new(merged))?;
        let warnings = config.warnings(&environment.ignored);
        Ok(Loaded { config, warnings })
    }

    /// What the setting of that name is, where that came from, and what it is for.
    pub fn explain(&self, key: &str) -> Option<Explained> {
        self.values.explain(key)
    }

    /// Every setting, in the order of the reference.
    pub fn show(&self) -> Vec<Explained> {
        settings().filter_map(|setting| self.values.explain(setting.key)).collect()
    }

    /// The names of settings that look like that one, for an error about a name that is none.
    pub fn meant(key: &str) -> Option<&'static str> {
        table::meant(key)
    }

    fn check(values: Values) -> Result<Self, ConfigError> {
        let tls = Tls::read(&values)?;
        let data = place::data(&values)?;
        let config = Self {
            issuer: IssuerSetting::read(&values, tls.files.is_some())?,
            server: Server::read(&values)?,
            tls,
            database: Database::read(&values, &data)?,
            data,
            origin: Origin::read(&values)?,
            tokens: Tokens::read(&values)?,
            keys: Keys::read(&values)?,
            signing: Signing::read(&values)?,
            clients: Clients::read(&values)?,
            limits: Limits::read(&values)?,
            cache: Cache::read(&values)?,
            log: LogSettings::read(&values)?,
            refusals: Refusals::read(&values)?,
            revocations: Revocations::read(&values)?,
            dev: Dev::read(&values)?,
            docs: Docs::read(&values),
            values,
        };
        config.encrypted()?;
        config.admin_encrypted()?;
        config.named()?;
        Ok(config)
    }

    /// Refuses plain HTTP where others could listen in.
    fn encrypted(&self) -> Result<(), ConfigError> {
        let address = self.server.listen;
        if address.ip().is_loopback() || self.tls.files.is_some() || self.server.behind_proxy {
            return Ok(());
        }
        Err(ConfigError::new(
            Problem::PlainHttpInPublic,
            format!("refusing to serve plain HTTP on {address} ({})", self.values.described("server.listen")),
            "secrets and tokens would cross the network unencrypted",
            "set `tls.cert` and `tls.key`, or `server.behind_proxy = true` if a proxy in front ends TLS",
        ))
    }

    /// The same for the admin address, which speaks plain HTTP even when the public one has TLS.
    fn admin_encrypted(&self) -> Result<(), ConfigError> {
        let address = self.server.admin_listen;
        if address.ip().is_loopback() || self.server.behind_proxy {
            return Ok(());
        }
        let described = self.values.described("server.admin_listen");
        Err(ConfigError::new(
            Problem::PlainHttpInPublic,
            format!("refusing to serve plain HTTP on {address} ({described})"),
            "the admin address speaks plain HTTP, and operators' sessions would cross the network unencrypted",
            "keep it on loopback, or set `server.behind_proxy = true` if a proxy in front ends TLS",
        ))
    }

    /// Refuses a public address without the name by which the public knows it.
    fn named(&self) -> Result<(), ConfigError> {
        if self.server.listen.ip().is_loopback() || matches!(self.issuer, IssuerSetting::Given(_)) {
            return Ok(());
        }
        Err(ConfigError::new(
            Problem::Missing,
            "`issuer` is not set",
            format!("{} is no loopback address, so the name others use is not known", self.server.listen),
            "set `issuer` to the public address, such as https://auth.example.com",
        ))
    }

    fn warnings(&self, ignored: &[String]) -> Vec<String> {
        let mut warnings = Vec::new();
        if !ignored.is_empty() {
            warnings.push(format!(
                "ignored environment variables that are no settings: {} (settings have `__` between their parts)",
                ignored.join(", ")
            ));
        }
        if self.server.behind_proxy && matches!(self.issuer, IssuerSetting::PublicAddress { .. }) {
            warnings.push(
                "`server.behind_proxy` is set but `issuer` is not: tokens and metadata will name the address \
                 on loopback; set `issuer` to the address of the proxy"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// Shows every setting as `config show` does: a password in one stays hidden.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.show().into_iter().map(|one| (one.key, one.value))).finish()
    }
}
