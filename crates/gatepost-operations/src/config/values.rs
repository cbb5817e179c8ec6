//! This file is where a value that somebody gave becomes one of its type, or an error that names setting, value and place.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use gatepost_core::limits::Rate;
use ipnet::IpNet;

use super::amount;
use super::error::{ConfigError, Problem};
use super::explain::{Explained, Source, mask};
use super::given::{Given, Said};
use super::setting::{Kind, Setting};

/// Every setting with its value as given; the sections read theirs from here.
#[derive(Clone)]
pub(super) struct Values(BTreeMap<&'static str, Said>);

impl Values {
    pub(super) fn new(merged: Vec<Said>) -> Self {
        Self(merged.into_iter().map(|said| (said.setting.key, said)).collect())
    }

    pub(super) fn text(&self, key: &'static str) -> String {
        self.given(key).written()
    }

    /// The text, or nothing when it is empty.
    pub(super) fn optional(&self, key: &'static str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    pub(super) fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.optional(key).map(PathBuf::from)
    }

    pub(super) fn switch(&self, key: &'static str) -> Result<bool, ConfigError> {
        match self.text(key).as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.bad(key, "it is either on or off", "write true or false")),
        }
    }

    pub(super) fn whole(&self, key: &'static str) -> Result<u64, ConfigError> {
        let number =
            self.text(key).parse().map_err(|_| self.bad(key, "it takes a whole number", self.bounds(key)))?;
        match self.setting(key).map(|setting| setting.kind) {
            Some(Kind::Whole(least, most)) if !(least..=most).contains(&number) => {
                Err(self.bad(key, "it is out of bounds", self.bounds(key)))
            }
            _ => Ok(number),
        }
    }

    pub(super) fn count(&self, key: &'static str) -> Result<usize, ConfigError> {
        let number = self.whole(key)?;
        usize::try_from(number).map_err(|_| self.bad(key, "it is too large here", self.bounds(key)))
    }

    pub(super) fn duration(&self, key: &'static str) -> Result<Duration, ConfigError> {
        let duration =
            amount::parse_duration(&self.text(key)).map_err(|why| self.bad(key, why, self.bounds(key)))?;
        match self.setting(key).map(|setting| setting.kind) {
            Some(Kind::Duration(least, most)) if !(least..=most).contains(&duration) => {
                Err(self.bad(key, "it is out of bounds", self.bounds(key)))
            }
            _ => Ok(duration),
        }
    }

    pub(super) fn size(&self, key: &'static str) -> Result<usize, ConfigError> {
        let size = amount::parse_size(&self.text(key)).map_err(|why| self.bad(key, why, self.bounds(key)))?;
        match self.setting(key).map(|setting| setting.kind) {
            Some(Kind::Size(least, most)) if !(least..=most).contains(&size) => {
                Err(self.bad(key, "it is out of bounds", self.bounds(key)))
            }
            _ => usize::try_from(size).map_err(|_| self.bad(key, "it is too large here", self.bounds(key))),
        }
    }

    pub(super) fn rate(&self, key: &'static str) -> Result<Rate, ConfigError> {
        Rate::parse(&self.text(key)).map_err(|bad| self.bad(key, &bad.to_string(), self.bounds(key)))
    }

    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let text = self.text(key);
        let chosen = choices.iter().find(|(word, _)| *word == text);
        chosen
            .map(|(_, choice)| *choice)
            .ok_or_else(|| self.bad(key, "it is none of its choices", self.bounds(key)))
    }

    pub(super) fn address(&self, key: &'static str) -> Result<SocketAddr, ConfigError> {
        let text = self.text(key);
        let spelled = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        spelled.unwrap_or(text).parse().map_err(|_| {
            self.bad(
                key,
                "it takes an address and a port",
                "write 127.0.0.1:8460, 0.0.0.0:8460 or [::1]:8460; port 0 takes a free one",
            )
        })
    }

    pub(super) fn networks(&self, key: &'static str) -> Result<Vec<IpNet>, ConfigError> {
        let parse = |part: &String| {
            let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            network.map(|network| network.trunc()).map_err(|_| {
                self.bad(key, "it takes addresses and networks", "write 10.0.0.0/8, 192.0.2.7 or fd00::/8")
            })
        };
        self.parts(key).iter().map(parse).collect()
    }

    /// The parts of a list, as they were written.
    pub(super) fn parts(&self, key: &'static str) -> Vec<String> {
        match self.given(key) {
            Given::List(parts) => parts,
            Given::Text(text) => vec![text],
        }
    }

    /// The error for a value that its setting does not take.
    pub(super) fn bad(&self, key: &'static str, why: &str, fix: impl Into<String>) -> ConfigError {
        ConfigError::new(Problem::BadValue, self.described(key), why, fix)
    }

    /// The setting, its value and its place, in the words of an error.
    pub(super) fn described(&self, key: &'static str) -> String {
        let source = self.source(key);
        if self.is_secret(key) {
            return format!("`{key}` from {source} can't be used");
        }
        format!("`{key}` is `{}` (from {source})", self.text(key))
    }

    pub(super) fn source(&self, key: &str) -> Source {
        self.0.get(key).map_or(Source::Default, |said| said.source.clone())
    }

    pub(super) fn explain(&self, key: &str) -> Option<Explained> {
        let Said { setting, value, source } = self.0.get(key)?;
        let written = value.written();
        Some(Explained {
            key: setting.key,
            value: if setting.secret && !written.is_empty() { mask(&written) } else { written },
            source: source.clone(),
            default: setting.default,
            default_note: setting.default_note,
            description: setting.description,
            variable: setting.variable(),
        })
    }

    fn given(&self, key: &'static str) -> Given {
        self.0.get(key).map_or_else(|| Given::Text(String::new()), |said| said.value.clone())
    }

    fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.0.get(key).map(|said| said.setting)
    }

    fn is_secret(&self, key: &str) -> bool {
        self.setting(key).is_some_and(|setting| setting.secret)
    }

    fn bounds(&self, key: &str) -> String {
        self.setting(key).map_or_else(String::new, |setting| format!("give {}", setting.kind.described()))
    }
}
