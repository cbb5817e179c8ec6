//! This file is where the settings of the origin door stand: its path, and the dress of its errors.

use super::error::{ConfigError, Problem};
use super::setting::{Kind, Setting};
use super::values::Values;

const STYLES: [(&str, ErrorStyle); 2] =
    [("passport12", ErrorStyle::Passport12), ("passport13", ErrorStyle::Passport13)];

/// Paths that other endpoints have.
const TAKEN: [&str; 5] = ["/oauth2/", "/.well-known/", "/forward-auth", "/livez", "/readyz"];

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new("origin.path", Kind::Text, "/api/oauth/token", "The path of the origin door."),
    Setting::new(
        "origin.error_style",
        Kind::Choice(&["passport12", "passport13"]),
        "passport12",
        "Which members an error of the origin door has; `passport13` leaves out `message`.",
    ),
];

/// The origin door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its path.
    pub path: String,
    /// The dress of its errors.
    pub error_style: ErrorStyle,
}

/// Which Passport release the origin door's errors look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStyle {
    /// `error`, `error_description`, `hint`, `message`.
    Passport12,
    /// The same without `message`.
    Passport13,
}

impl Origin {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let path = values.text("origin.path");
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if !path.starts_with('/') || path.len() < 2 || path.contains("//") || !path.chars().all(plain) {
            let why = "a path begins with a slash and holds letters, digits and -._~";
            return Err(values.bad("origin.path", why, "write it like /api/oauth/token"));
        }
        if TAKEN.iter().any(|taken| path.starts_with(taken)) || path == "/docs" {
            return Err(ConfigError::new(
                Problem::Conflict,
                values.described("origin.path"),
                "another endpoint has that path",
                "choose another one, such as /api/oauth/token",
            ));
        }
        Ok(Self { path, error_style: values.choice("origin.error_style", &STYLES)? })
    }
}
