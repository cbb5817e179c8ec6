//! This file is where a value stands as somebody gave it, with the place it came from, before it is checked.

use super::explain::Source;
use super::setting::Setting;

/// That somebody gave a setting a value.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) setting: &'static Setting,
    pub(super) value: Given,
    pub(super) source: Source,
}

/// A value before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Text(String),
    List(Vec<String>),
}

impl Given {
    /// The text as the setting's kind takes it: lists are comma separated.
    pub(super) fn from_text(setting: &Setting, text: &str) -> Self {
        if !setting.kind.is_list() {
            return Self::Text(text.to_owned());
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Self::List(parts.map(str::to_owned).collect())
    }

    /// How `show` prints it.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(parts) => parts.join(","),
        }
    }
}
