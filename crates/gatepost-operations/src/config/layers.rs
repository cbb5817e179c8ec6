//! This file is where the layers meet: defaults, file, environment and flags are laid over one another, the upper one winning.
//!
//! The merging is the `config` crate's. Each layer is a [`Layer`]: a flat list of settings that
//! were checked against the table, each with the place it came from, which the crate carries
//! along as the value's origin.

use std::path::PathBuf;

use config::{Map, Value, ValueKind};

use super::error::{ConfigError, Problem};
use super::explain::Source;
use super::given::{Given, Said};
use super::setting::Setting;
use super::table;

/// One layer: values by setting, each with its source.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer(Vec<Said>);

impl Layer {
    /// What is in force when nobody says anything.
    pub(super) fn defaults() -> Self {
        let said = table::settings().map(|setting| Said {
            setting,
            value: Given::from_text(setting, setting.default),
            source: Source::Default,
        });
        Self(said.collect())
    }

    /// What the command line says.
    pub(super) fn flags(flags: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut layer = Self::default();
        for (key, text) in flags {
            let setting = known(key, key, "the command line")?;
            layer.say(setting, Given::from_text(setting, text), Source::Flag);
        }
        Ok(layer)
    }

    pub(super) fn say(&mut self, setting: &'static Setting, value: Given, source: Source) {
        self.0.push(Said { setting, value, source });
    }
}

/// The setting of that name, or an error that suggests the one that was meant.
pub(super) fn known(key: &str, written: &str, place: &str) -> Result<&'static Setting, ConfigError> {
    if let Some(setting) = table::find(key) {
        return Ok(setting);
    }
    let fix = match table::meant(key) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "remove it, or see `gatepost config show` for every setting".to_owned(),
    };
    Err(ConfigError::new(
        Problem::UnknownSetting,
        format!("unknown setting `{written}` in {place}"),
        "a misspelt setting would silently do nothing",
        fix,
    ))
}

impl config::Source for Layer {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.iter().map(|said| (said.setting.key.to_owned(), to_value(said))).collect())
    }
}

fn to_value(said: &Said) -> Value {
    let kind = match &said.value {
        Given::Text(text) => ValueKind::from(text.clone()),
        Given::List(parts) => ValueKind::from(parts.clone()),
    };
    Value::new(Some(&origin_of(&said.source)), kind)
}

/// Lays the layers over one another; later ones win.
pub(super) fn merge(layers: Vec<Layer>) -> Result<Vec<Said>, ConfigError> {
    let built = layers
        .into_iter()
        .fold(config::Config::builder(), |builder, layer| builder.add_source(layer))
        .build()
        .map_err(|source| unmerged(&source))?;
    table::settings()
        .map(|setting| {
            let value = at(&built.cache, setting.key).ok_or_else(|| lost(setting))?;
            Ok(Said { setting, value: given(value), source: source_of(value.origin()) })
        })
        .collect()
}

fn at<'v>(root: &'v Value, key: &str) -> Option<&'v Value> {
    key.split('.').try_fold(root, |value, part| match &value.kind {
        ValueKind::Table(table) => table.get(part),
        _ => None,
    })
}

fn given(value: &Value) -> Given {
    match &value.kind {
        ValueKind::Array(parts) => Given::List(parts.iter().map(|part| part.kind.to_string()).collect()),
        other => Given::Text(other.to_string()),
    }
}

fn unmerged(source: &config::ConfigError) -> ConfigError {
    ConfigError::new(
        Problem::Conflict,
        "the settings could not be put together",
        source.to_string(),
        "look for a section that is also given as a single value",
    )
}

fn lost(setting: &Setting) -> ConfigError {
    ConfigError::new(
        Problem::Conflict,
        format!("`{}` has no value", setting.key),
        format!("something else took the place of its section `{}`", setting.section()),
        "look for a section that is also given as a single value",
    )
}

/// The origin the `config` crate carries is a text, so a source is written as one and read back.
fn origin_of(source: &Source) -> String {
    match source {
        Source::Flag => "flag".to_owned(),
        Source::Env(name) => format!("env {name}"),
        Source::File(path, line) => format!("file {line} {}", path.display()),
        Source::Default => "default".to_owned(),
    }
}

fn source_of(origin: Option<&str>) -> Source {
    let origin = origin.unwrap_or("default");
    if let Some(name) = origin.strip_prefix("env ") {
        return Source::Env(name.to_owned());
    }
    if let Some((line, path)) = origin.strip_prefix("file ").and_then(|rest| rest.split_once(' ')) {
        return Source::File(PathBuf::from(path), line.parse().unwrap_or(0));
    }
    if origin == "flag" { Source::Flag } else { Source::Default }
}
