//! This file is where it is said what a setting is: its name, what it takes and what it is for.

use std::time::Duration;

/// One setting: its name, what it takes, what it is without being told, and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The path in the file, such as `server.listen`.
    pub key: &'static str,
    /// The value without being told, written as in the environment; empty for "none".
    pub default: &'static str,
    /// What the default means where the text alone does not say it.
    pub default_note: &'static str,
    /// What it is for, in one sentence or two.
    pub description: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether its value may hold a password, which `show` and every error then leave out.
    pub secret: bool,
}

/// What a setting takes, with the bounds that loading holds it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Switch,
    /// A whole number between the two, both included.
    Whole(u64, u64),
    /// A duration between the two, both included.
    Duration(Duration, Duration),
    /// A number of bytes between the two, both included.
    Size(u64, u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A file or folder.
    Path,
    /// An address and a port; port 0 takes a free one.
    Address,
    /// A list of addresses or networks.
    Networks,
    /// A list of host names, addresses or networks.
    Hosts,
    /// A URL.
    Url,
    /// So many in so much time.
    Rate,
}

impl Setting {
    /// A setting of that kind with that default.
    pub(super) const fn new(
        key: &'static str,
        kind: Kind,
        default: &'static str,
        description: &'static str,
    ) -> Self {
        Self { key, default, default_note: "", description, kind, secret: false }
    }

    /// Says what the default means.
    pub(super) const fn noted(mut self, note: &'static str) -> Self {
        self.default_note = note;
        self
    }

    /// Marks the value as one that may hold a password.
    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The section of the file it stands in; empty for the top.
    pub fn section(&self) -> &'static str {
        self.key.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// Its name inside the section.
    pub fn name(&self) -> &'static str {
        self.key.rsplit_once('.').map_or(self.key, |(_, name)| name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("GATEPOST_{}", self.key.replace('.', "__").to_uppercase())
    }
}

impl Kind {
    /// Whether it takes several values, comma separated in the environment.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Networks | Self::Hosts)
    }
}
