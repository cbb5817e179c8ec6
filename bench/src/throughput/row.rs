//! This file is where one figure of throughput is: what was measured for it, and how it reads.

use std::fmt;

use serde::Serialize;

use crate::processor::Placement;
use crate::statistics::{Latency, Quartiles};
use crate::subject::Subject;

/// One figure: an algorithm at a number of connections.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was signed with.
    pub algorithm: Subject,
    /// Which cores the server had.
    pub placement: Placement,
    /// Connections that each kept one request under way.
    pub connections: u16,
    /// Signatures a second, slice by slice.
    pub raw: Vec<f64>,
    /// Their middle half.
    pub raw_quartiles: Quartiles,
    /// Tokens a second, slice by slice.
    pub served: Vec<f64>,
    /// Their middle half.
    pub served_quartiles: Quartiles,
    /// The median of served over raw; at one connection there is none.
    pub ratio: Option<f64>,
    /// The middle half of served over raw, where that is a figure.
    pub ratio_quartiles: Option<Quartiles>,
    /// From request to answer, in milliseconds.
    pub latency_ms: Latency,
    /// The median latency in times of one signature on one core.
    pub signing_times: f64,
    /// /livez in milliseconds from the time at which each question was due; not asked beside a generator that has one
    /// core, for it would be the generator that is waited for.
    pub livez_ms: Option<Latency>,
    /// Tokens that were served.
    pub tokens: usize,
    /// Different ids among them.
    pub distinct_jti: usize,
    /// How many of them were verified with the published key.
    pub verified: usize,
    /// The generator's share of the machine's processors, at most over the slices.
    pub generator_share: f64,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = match self.ratio_quartiles {
            Some(Quartiles { lower, median, upper }) => {
                format!("served over raw {median:.3}  (quartiles {lower:.3} to {upper:.3})")
            }
            None => format!("latency {:.2} signing times", self.signing_times),
        };
        let Self { placement, connections, .. } = self;
        writeln!(out, "{}, {connections} connections, {placement}: {summary}", self.algorithm.name())?;
        writeln!(out, "  raw signing /s {}", figures(&self.raw, self.raw_quartiles))?;
        writeln!(out, "  tokens      /s {}", figures(&self.served, self.served_quartiles))?;
        writeln!(out, "  latency ms     p50 {:.2}  p99 {:.2}", self.latency_ms.p50, self.latency_ms.p99)?;
        let Self { tokens, distinct_jti, verified, .. } = self;
        if let Some(livez) = self.livez_ms {
            writeln!(
                out,
                "  /livez ms      p50 {:.2}  p99 {:.2}  of {}",
                livez.p50, livez.p99, livez.samples
            )?;
        }
        writeln!(out, "  tokens {tokens}, distinct jti {distinct_jti}, verified {verified}")?;
        write!(out, "  generator {:.1} % of the machine", self.generator_share * 100.0)?;
        self.void.iter().try_for_each(|why| write!(out, "\n  VOID: {why}"))
    }
}

/// Slices and the quartiles around their median.
pub(crate) fn figures(slices: &[f64], quartiles: Quartiles) -> String {
    let text: Vec<String> = slices.iter().map(|slice| format!("{slice:.0}")).collect();
    format!("{}  (quartiles {:.0} to {:.0})", text.join(" "), quartiles.lower, quartiles.upper)
}
