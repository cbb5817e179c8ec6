//! This file is where `gatepost.toml` is read: each value with its line, every unknown name refused.

use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, de};

use super::error::{ConfigError, Problem};
use super::explain::Source;
use super::given::Given;
use super::layers::{Layer, known};
use super::setting::Setting;
use super::table;

/// Reads the file at that path.
pub(super) fn read(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| {
        ConfigError::new(
            Problem::Unreadable,
            format!("cannot read the configuration file {}", path.display()),
            source.to_string(),
            "give the right path with --config, and let the user that runs gatepost read it",
        )
    })?;
    parse(path, &text)
}

/// Reads the text of the file at that path.
pub(super) fn parse(path: &Path, text: &str) -> Result<Layer, ConfigError> {
    let table = DeTable::parse(text).map_err(|source| not_toml(path, text, &source))?;
    let mut reader = Reader { path, text, layer: Layer::default() };
    reader.table("", table.get_ref())?;
    Ok(reader.layer)
}

struct Reader<'f> {
    path: &'f Path,
    text: &'f str,
    layer: Layer,
}

impl Reader<'_> {
    fn table(&mut self, section: &str, table: &DeTable<'_>) -> Result<(), ConfigError> {
        for (name, value) in table {
            let name_text = name.get_ref().as_ref();
            let key =
                if section.is_empty() { name_text.to_owned() } else { format!("{section}.{name_text}") };
            let line = line_of(self.text, name.span().start);
            self.entry(&key, line, value)?;
        }
        Ok(())
    }

    fn entry(&mut self, key: &str, line: usize, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        let place = format!("{}:{line}", self.path.display());
        match value.get_ref() {
            // Inside an unknown section it is its settings that tell which one was meant.
            DeValue::Table(table) if is_section(key) || !table.is_empty() => self.table(key, table),
            _ if is_section(key) => Err(ConfigError::new(
                Problem::BadValue,
                format!("`{key}` at {place} is a single value"),
                "it is the name of a section",
                format!("write `[{key}]` and the settings below it"),
            )),
            single => {
                let setting = known(key, key, &place)?;
                let given = self.given(setting, single, &place)?;
                self.layer.say(setting, given, Source::File(self.path.to_owned(), line));
                Ok(())
            }
        }
    }

    fn given(&self, setting: &Setting, value: &DeValue<'_>, place: &str) -> Result<Given, ConfigError> {
        let wrong = |found: &str| {
            ConfigError::new(
                Problem::BadValue,
                format!("`{}` at {place} can't be a TOML {found}", setting.key),
                "settings are texts, whole numbers, true or false, and lists of texts",
                format!("see `gatepost config explain {}`", setting.key),
            )
        };
        if let DeValue::Array(parts) = value {
            if !setting.kind.is_list() {
                return Err(wrong("list"));
            }
            let texts = parts.iter().map(|part| scalar(part.get_ref()).ok_or_else(|| wrong("list of that")));
            return Ok(Given::List(texts.collect::<Result<_, _>>()?));
        }
        let text = scalar(value).ok_or_else(|| wrong(value.type_str()))?;
        Ok(if setting.kind.is_list() { Given::from_text(setting, &text) } else { Given::Text(text) })
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.as_ref().to_owned()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn is_section(key: &str) -> bool {
    table::settings().any(|setting| setting.section() == key)
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn not_toml(path: &Path, text: &str, source: &de::Error) -> ConfigError {
    let line = source.span().map_or(1, |span| line_of(text, span.start));
    ConfigError::new(
        Problem::NotToml,
        format!("{}:{line} is not TOML", path.display()),
        source.message().trim(),
        "mend that line; texts need quotes: name = \"value\"",
    )
}
