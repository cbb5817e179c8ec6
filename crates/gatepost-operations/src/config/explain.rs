//! This file is where a setting tells where its value came from, which is what `config explain` and `config show` print.

use std::fmt;
use std::path::PathBuf;

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag,
    /// The environment variable of that name (with `_FILE` when the value was in a file).
    Env(String),
    /// That line of the configuration file.
    File(PathBuf, usize),
    /// Nobody said anything.
    Default,
}

/// One setting with its value and its story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The path in the file, such as `server.listen`.
    pub key: &'static str,
    /// The value in force; passwords in it are masked.
    pub value: String,
    /// Where the value came from.
    pub source: Source,
    /// The value without being told.
    pub default: &'static str,
    /// What the default means where the text alone does not say it.
    pub default_note: &'static str,
    /// What the setting is for.
    pub description: &'static str,
    /// The environment variable that would set it.
    pub variable: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("the command line"),
            Self::Env(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// Leaves the password out of a URL, in the user information as well as in the query.
pub(super) fn mask(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return "***".to_owned();
    };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "***".to_owned();
    }
    if url.query_pairs().any(|(name, _)| is_secret_parameter(&name)) {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if is_secret_parameter(&name) { "***".into() } else { value };
                (name.into_owned(), value.into_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("password") || name.contains("secret")
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_password_never_survives_masking() {
        for url in [
            "postgres://gatepost:hunter2@db/gatepost",
            "postgres://db/gatepost?user=g&password=hunter2",
            "postgres://db/gatepost?sslpassword=hunter2",
            "host=db password=hunter2",
        ] {
            assert!(!mask(url).contains("hunter2"), "{url}");
        }
        assert_eq!(mask("sqlite:///var/lib/gatepost.db"), "sqlite:///var/lib/gatepost.db");
        assert_eq!(mask("postgres://gatepost:x@db/g"), "postgres://gatepost:***@db/g");
    }
}
