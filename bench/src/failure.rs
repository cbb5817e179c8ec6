//! This file is where a measurement that could not be made says what happened and why.

use std::fmt;

/// What could not be done, and why; one sentence for the person at the terminal.
#[derive(Debug)]
pub struct Failure(String);

/// The result of a step of a measurement.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(what: &str, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
