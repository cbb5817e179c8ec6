//! This file is where a measurement that could not be made says what happened and why.

use std::fmt;

/// What could not be done, and why; one sentence for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    said: String,
    mend: Option<&'static str>,
}

/// The result of a step of a measurement.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(what: &str, why: impl fmt::Display) -> Self {
        Self { said: format!("{what}: {why}"), mend: None }
    }

    /// Says what helps, where that is known.
    pub(crate) fn mended_by(self, mend: &'static str) -> Self {
        Self { mend: Some(mend), ..self }
    }

    /// What helps against this very failure.
    #[must_use]
    pub fn mend(&self) -> Option<&'static str> {
        self.mend
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.said)
    }
}
