//! This file is where scopes are held to the form of RFC 6749 section 3.3.

use serde::{Deserialize, Serialize};

/// One scope: 1 to 100 of the characters that RFC 6749 section 3.3 allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

/// A text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no scope; use 1 to 100 printable ASCII characters without blanks, quotes and backslashes", .0.escape_debug())]
pub struct BadScope(pub String);

impl Scope {
    /// Accepts a single scope.
    pub fn parse(text: &str) -> Result<Self, BadScope> {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.is_empty() || text.len() > 100 || !text.bytes().all(allowed) {
            return Err(BadScope(text.chars().take(1_000).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The scope as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Scopes in the order they were given, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// No scopes.
    pub const NONE: Self = Self(Vec::new());

    /// Accepts scopes separated by blanks; extra blanks do no harm, a repeated scope counts once.
    pub fn parse(text: &str) -> Result<Self, BadScope> {
        text.split(' ').filter(|part| !part.is_empty()).map(Scope::parse).collect()
    }

    /// Whether `scope` is among them.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// The first of these that is not among `others`.
    pub fn first_outside<'a>(&'a self, others: &Self) -> Option<&'a Scope> {
        self.0.iter().find(|scope| !others.contains(scope))
    }

    /// Those that are also among `others`, in this order.
    #[must_use]
    pub fn within(&self, others: &Self) -> Self {
        Self(self.0.iter().filter(|scope| others.contains(scope)).cloned().collect())
    }

    /// Adds a scope behind the others, unless it is there.
    pub fn push(&mut self, scope: Scope) {
        if !self.contains(&scope) {
            self.0.push(scope);
        }
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes as one text, separated by single blanks.
    pub fn joined(&self) -> String {
        self.0.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut all = Self::NONE;
        for scope in scopes {
            all.push(scope);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_repetitions_do_no_harm() {
        assert_eq!(Scopes::parse("  a  b a ").unwrap().joined(), "a b");
        assert!(Scopes::parse("   ").unwrap().is_empty());
    }

    #[test]
    fn characters_outside_rfc_6749_are_refused() {
        for text in ["a\"b", "a\\b", "a\tb", "réserver", "a\r\nb", "a\u{0}"] {
            assert!(Scopes::parse(text).is_err(), "{text:?}");
        }
    }
}
