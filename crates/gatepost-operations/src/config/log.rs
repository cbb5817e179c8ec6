//! This file is where the settings of the log stand: its form, its level and its bounded buffer.

use super::error::ConfigError;
use super::setting::{Kind, Setting};
use super::values::Values;

const FORMATS: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];

const LEVELS: [(&str, LogLevel); 6] = [
    ("off", LogLevel::Off),
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "log.format",
        Kind::Choice(&["auto", "text", "json"]),
        "auto",
        "The form of a log line; `auto` is text on a terminal and JSON elsewhere.",
    ),
    Setting::new(
        "log.level",
        Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
        "info",
        "The least important lines that are written; libraries never write below `warn`.",
    ),
    Setting::new(
        "log.buffer",
        Kind::Whole(1, 1_000_000),
        "8192",
        "Log lines that may wait for a slow reader; further ones are dropped and counted, \
         so that a request never waits for the log.",
    ),
];

/// How the log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// The least important lines that are written.
    pub level: LogLevel,
    /// Lines that may wait for a slow reader.
    pub buffer: usize,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line of text.
    Text,
    /// One JSON object.
    Json,
}

/// How important a line must be to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Something failed.
    Error,
    /// Something should be looked at.
    Warn,
    /// What happens: one line a request.
    Info,
    /// What the program decides.
    Debug,
    /// Everything.
    Trace,
}

impl LogSettings {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            format: values.choice("log.format", &FORMATS)?,
            level: values.choice("log.level", &LEVELS)?,
            buffer: values.count("log.buffer")?,
        })
    }
}
