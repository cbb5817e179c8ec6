//! This file is where figures become lines for a reader, as they come, or one JSON document at the end.
//!
//! How a figure reads stands with its measurement.

use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::Arguments;
use crate::failure::{Failure, Outcome};
use crate::processor::{cores, masked};

/// Everything that one run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    quick: bool,
    #[serde(skip)]
    json: bool,
    #[serde(flatten)]
    found: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Machine {
    cores: usize,
    processor: String,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments) -> Outcome<Self> {
        let machine = Machine { cores: cores(), processor: processor() };
        let (quick, json) = (arguments.quick, arguments.json);
        let report = Self { machine, quick, json, found: Map::new() };
        let Machine { cores, processor } = &report.machine;
        report.say(&format!("{cores} cores, {processor}; 127.0.0.1, keep-alive, HTTP/1.1"))?;
        if quick {
            report.say("quick: these figures show that the harness works, not how fast the server is")?;
        }
        Ok(report)
    }

    /// The one figure of a measurement.
    pub(crate) fn one(&mut self, name: &str, found: &(impl Display + Serialize)) -> Outcome<()> {
        self.say(&format!("\n{found}"))?;
        self.found.insert(name.to_owned(), value(found)?);
        Ok(())
    }

    /// One figure of several of the same kind.
    pub(crate) fn row(&mut self, name: &str, found: &(impl Display + Serialize)) -> Outcome<()> {
        self.say(&format!("\n{found}"))?;
        let rows = self.found.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(rows) = rows {
            rows.push(value(found)?);
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Outcome<()> {
        if !self.json {
            return Ok(());
        }
        self.json = false;
        let text = serde_json::to_string(&self).map_err(|why| Failure::new("the report", why))?;
        self.say(&text)
    }

    /// A line at once, for whoever waits; nothing while JSON is wanted.
    fn say(&self, line: &str) -> Outcome<()> {
        if self.json {
            return Ok(());
        }
        writeln!(std::io::stdout(), "{line}").map_err(|why| Failure::new("standard output", why))
    }
}

fn value(found: &impl Serialize) -> Outcome<Value> {
    serde_json::to_value(found).map_err(|why| Failure::new("the report", why))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named =
        text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    let name = named.map_or("unnamed processor", |(_, name)| name.trim());
    masked().map_or_else(|| name.to_owned(), |mask| format!("{name} with {mask}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_kind_come_together_and_a_single_figure_stands_alone() {
        let machine = Machine { cores: 1, processor: String::new() };
        let mut report = Report { machine, quick: false, json: true, found: Map::new() };
        report.one("alone", &1).expect("a figure");
        report.row("rows", &2).expect("a figure");
        report.row("rows", &3).expect("a figure");
        let document = value(&report).expect("a document");
        assert_eq!((&document["alone"], &document["rows"]), (&1.into(), &serde_json::json!([2, 3])));
    }
}
