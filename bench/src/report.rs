//! This file is where figures become lines for a reader, as they come, or one JSON document at the end.

use std::io::Write as _;

use serde::Serialize;

use crate::arguments::Arguments;
use crate::assertions::Assertions;
use crate::failure::{Failure, Outcome};
use crate::footprint::Footprint;
use crate::growth::{Growth, Weighing};
use crate::pairs::Pairs;
use crate::processor::{Placement, cores};
use crate::startup::Startup;
use crate::throughput::Row;

/// Everything that one run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    quick: bool,
    #[serde(skip)]
    json: bool,
    startup: Option<Startup>,
    footprint: Option<Footprint>,
    pairs: Option<Pairs>,
    throughput: Vec<Row>,
    growth: Option<Growth>,
    assertions: Option<Assertions>,
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
        let report = Self {
            machine,
            quick,
            json,
            startup: None,
            footprint: None,
            pairs: None,
            throughput: Vec::new(),
            growth: None,
            assertions: None,
        };
        let Machine { cores, processor } = &report.machine;
        report.say(&format!("{cores} cores, {processor}; closed loop, 127.0.0.1, keep-alive, HTTP/1.1"))?;
        if quick {
            report.say("quick: these figures show that the harness works, not how fast the server is")?;
        }
        Ok(report)
    }

    pub(crate) fn startup(&mut self, startup: Startup) -> Outcome<()> {
        let figures = startup.quartiles_ms;
        self.say(&format!(
            "\nexec to first 200 of /readyz: median {:.1} ms, quartiles {:.1} to {:.1}, of {} starts",
            figures.median,
            figures.lower,
            figures.upper,
            startup.starts_ms.len()
        ))?;
        self.startup = Some(startup);
        Ok(())
    }

    pub(crate) fn footprint(&mut self, footprint: Footprint) -> Outcome<()> {
        let Footprint { idle_seconds, resident_mb, most_mb } = footprint;
        self.say(&format!(
            "\nresident after {idle_seconds} s idle: {resident_mb:.1} MB; at most {most_mb:.1} MB"
        ))?;
        self.footprint = Some(footprint);
        Ok(())
    }

    pub(crate) fn pairs(&mut self, pairs: Pairs) -> Outcome<()> {
        self.say(&format!(
            "\nunknown client {:.1} us, wrong secret {:.1} us (medians of {} pairs, seed {})\n\
             difference of medians {:+.2} us, median of differences {:+.2} us",
            pairs.unknown_client_us.median,
            pairs.wrong_secret_us.median,
            pairs.pairs,
            pairs.seed,
            pairs.difference_of_medians_us,
            pairs.median_of_differences_us
        ))?;
        self.pairs = Some(pairs);
        Ok(())
    }

    pub(crate) fn row(&mut self, row: Row) -> Outcome<()> {
        self.say(&in_words(&row))?;
        self.throughput.push(row);
        Ok(())
    }

    pub(crate) fn growth(&mut self, growth: Growth) -> Outcome<()> {
        let weighed = |at: &Weighing| {
            format!(
                "  after {} tokens: {} bytes ({:.0} tokens/s, at most {:.1} MB resident)",
                at.tokens, at.bytes, at.tokens_a_second, at.most_resident_mb
            )
        };
        self.say(&format!(
            "\nstore growth, database and log after a checkpoint, {}: {:+.3} MB\n  before: {} bytes\n{}\n{}",
            growth.algorithm.name(),
            growth.growth_mb,
            growth.empty_bytes,
            weighed(&growth.first),
            weighed(&growth.then)
        ))?;
        self.growth = Some(growth);
        Ok(())
    }

    pub(crate) fn assertions(&mut self, assertions: Assertions) -> Outcome<()> {
        let replay = if assertions.replay_refused { "refused" } else { "ACCEPTED" };
        self.say(&format!(
            "\n{} client assertions of one client: resident {:.1} to {:.1} MB ({:+.1}), store {} to {} bytes, \
             {:.0}/s; the first, sent again: {replay}",
            assertions.count,
            assertions.resident_before_mb,
            assertions.resident_after_mb,
            assertions.growth_mb,
            assertions.stored_before_bytes,
            assertions.stored_after_bytes,
            assertions.assertions_a_second
        ))?;
        self.assertions = Some(assertions);
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

fn in_words(row: &Row) -> String {
    let place = match row.placement {
        Placement::Shared => "all cores",
        Placement::Apart => "server on core 0",
    };
    let summary = match row.ratio {
        Some(ratio) => format!("served over raw {ratio:.3}"),
        None => format!("latency {:.2} signing times", row.signing_times),
    };
    let mut lines = vec![
        format!("\n{}, {} connections, {place}: {summary}", row.algorithm.name(), row.connections),
        figures("raw signing /s", &row.raw, row.raw_quartiles.lower, row.raw_quartiles.upper),
        figures("tokens      /s", &row.served, row.served_quartiles.lower, row.served_quartiles.upper),
        format!("  latency ms     p50 {:.2}  p99 {:.2}", row.latency_ms.p50, row.latency_ms.p99),
        format!(
            "  /livez ms      p50 {:.2}  p99 {:.2}  of {}",
            row.livez_ms.p50, row.livez_ms.p99, row.livez_ms.samples
        ),
        format!("  tokens {}, distinct jti {}, verified {}", row.tokens, row.distinct_jti, row.verified),
        format!("  generator {:.1} % of the machine", row.generator_share * 100.0),
    ];
    lines.extend(row.void.iter().map(|why| format!("  VOID: {why}")));
    lines.join("\n")
}

fn figures(name: &str, slices: &[f64], lower: f64, upper: f64) -> String {
    let slices: Vec<String> = slices.iter().map(|slice| format!("{slice:.0}")).collect();
    format!("  {name} {}  (quartiles {lower:.0} to {upper:.0})", slices.join(" "))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named =
        text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    named.map_or_else(|| "unnamed processor".to_owned(), |(_, name)| name.trim().to_owned())
}
