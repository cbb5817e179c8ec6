//! This file is where the setting of the partners' page stands: its title.

use super::setting::{Kind, Setting};
use super::values::Values;

pub(super) const SETTINGS: &[Setting] = &[Setting::new(
    "docs.title",
    Kind::Text,
    "API access for partners",
    "The title of `/docs`, the page a partner's developer reads.",
)];

/// The page a partner's developer reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Docs {
    /// Its title.
    pub title: String,
}

impl Docs {
    pub(super) fn read(values: &Values) -> Self {
        Self { title: values.text("docs.title") }
    }
}
