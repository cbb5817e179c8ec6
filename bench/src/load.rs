//! This file is where what one slice of load brought is written down.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::jti::Layout;
use crate::processor::cores;
use crate::statistics::Quartiles;

/// Every hundredth answer is kept, beginning with the first.
const KEEP_EVERY: u64 = 100;
/// Above this share of its own core the generator is what limits.
pub(crate) const FULL: f64 = 0.9;

/// What one slice of load brought.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// From the first request to the end of the window, or to the last answer if that came first.
    pub passed: Duration,
    /// 200s that ended within the window.
    pub good: u64,
    /// Their latencies in milliseconds.
    pub latencies: Vec<f64>,
    /// Every other status and how often.
    pub others: BTreeMap<u16, u64>,
    /// A hash of the jti of each token; nothing for answers without.
    pub jtis: Vec<u64>,
    /// Every hundredth body.
    pub kept: Vec<Bytes>,
    /// The generator's processor seconds over the time that passed.
    pub generator_cores: f64,
}

impl Load {
    /// 200s a second.
    pub(crate) fn rate(&self) -> f64 {
        self.good as f64 / self.passed.as_secs_f64()
    }

    /// The generator's share of the machine's processors.
    pub(crate) fn generator_share(&self) -> f64 {
        self.generator_cores / cores() as f64
    }

    /// An answer, and how long it took.
    pub(crate) fn note(&mut self, (status, body): (u16, &[u8]), took: Duration, layout: &mut Layout) {
        if status != 200 {
            *self.others.entry(status).or_default() += 1;
            return;
        }
        self.latencies.push(took.as_secs_f64() * 1e3);
        self.jtis.extend(layout.jti_of(body));
        if self.good.is_multiple_of(KEEP_EVERY) {
            self.kept.push(Bytes::copy_from_slice(body));
        }
        self.good += 1;
    }

    /// Why the slice does not count: answers that were asked for in vain.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|(status, count)| format!("{count} answers were {status}"))
    }
}

/// Rates slice by slice and their quartiles, in a line for a reader.
pub(crate) fn rates(name: &str, slices: &[f64]) -> String {
    let each: Vec<String> = slices.iter().map(|slice| format!("{slice:.0}")).collect();
    let middle = Quartiles::of(slices);
    format!("  {name} {}  (quartiles {:.0} to {:.0})", each.join(" "), middle.lower, middle.upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_200s_count() {
        let mut load = Load { passed: Duration::from_secs(2), ..Load::default() };
        for status in [200, 200, 503] {
            load.note((status, b"hello"), Duration::from_millis(3), &mut Layout::default());
        }
        assert!((load.rate() - 1.0).abs() < 1e-9);
        assert_eq!((load.latencies.as_slice(), load.kept.len()), (&[3.0, 3.0][..], 1));
        assert_eq!(load.others, BTreeMap::from([(503, 1)]));
        assert_eq!(load.faults().collect::<Vec<_>>(), ["1 answers were 503"]);
    }
}
