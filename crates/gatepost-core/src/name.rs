//! This file is where names that people give are held to a form: display names, slugs and API names.

use serde::{Deserialize, Serialize};

/// Why a name is refused; the text says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadName(pub String);

/// What people call a partner or client: 1 to 100 characters, no control characters, no blanks at the ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Accepts a display name, trimmed.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadName("a name is empty; give 1 to 100 characters".to_owned()));
        }
        if text.chars().count() > 100 {
            return Err(BadName("a name is longer than 100 characters; shorten it".to_owned()));
        }
        if text.chars().any(char::is_control) {
            return Err(BadName("a name holds a control character; remove it".to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as people read it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A slug made of the name's ASCII letters and digits: "Acme Ltd." becomes `acme-ltd`.
    pub fn slug(&self) -> Slug {
        let mut slug = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            match c {
                c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
                _ if slug.is_empty() || slug.ends_with('-') => {}
                _ => slug.push('-'),
            }
        }
        slug.truncate(56);
        let slug = slug.trim_end_matches('-');
        Slug(if slug.is_empty() { "partner".to_owned() } else { slug.to_owned() })
    }
}

/// A short name for commands and addresses: 1 to 63 of `a-z`, `0-9` and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// Accepts a slug as it is written; nothing is changed.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=63).contains(&text.len())
            && text.chars().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !fits {
            return Err(BadName(
                "a short name takes 1 to 63 of a-z, 0-9 and inner hyphens, for example `bookings`".to_owned(),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The same slug with `-number` behind it, for when the plain one is taken.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0))
    }

    /// The slug as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_of_the_letters_and_digits_of_a_name() {
        let cases = [
            ("Acme Ltd", "acme-ltd"),
            ("  Ünïted  Films & Co. ", "n-ted-films-co"),
            ("日本", "partner"),
            ("a--b", "a-b"),
        ];
        for (name, slug) in cases {
            assert_eq!(Name::parse(name).unwrap().slug().as_str(), slug, "{name}");
        }
    }

    #[test]
    fn names_with_control_characters_or_nothing_in_them_are_refused() {
        for text in ["", "   ", "a\nb", "a\u{0}b"] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "-a", "a-", "A", "a b", "a.b"] {
            assert!(Slug::parse(text).is_err(), "{text:?}");
        }
    }
}
