//! This file is where many samples become a few bars, each twice as wide as the one before.

use serde::Serialize;

/// How many samples lie in each stretch; the stretches touch, and the first and last hold something.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Histogram(Vec<Bar>);

/// One stretch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bar {
    /// Its samples are at least this.
    pub from: f64,
    /// And below this.
    pub below: f64,
    /// How many there are.
    pub count: usize,
}

/// Samples below it are all alike: an eighth of a microsecond, where samples are milliseconds.
const NARROWEST: f64 = 1.0 / 8192.0;
/// Samples above the last stretch are counted in it.
const MOST: i32 = 40;

impl Histogram {
    pub(crate) fn of(samples: &[f64]) -> Self {
        let mut counts = vec![0_usize; MOST as usize + 1];
        for sample in samples {
            counts[stretch(*sample) as usize] += 1;
        }
        let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
        let last = counts.iter().rposition(|count| *count > 0).map_or(first, |last| last + 1);
        let bar =
            |number: usize| Bar { from: start(number), below: start(number + 1), count: counts[number] };
        Self((first..last).map(bar).collect())
    }

    /// The bars, the shortest times first.
    #[must_use]
    pub fn bars(&self) -> &[Bar] {
        &self.0
    }
}

fn stretch(sample: f64) -> i32 {
    if sample <= NARROWEST { 0 } else { ((sample / NARROWEST).log2().floor() as i32).clamp(0, MOST) }
}

fn start(number: usize) -> f64 {
    NARROWEST * 2_f64.powi(number as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_the_stretch_that_holds_it() {
        let samples = [0.5, 0.6, 0.99, 1.0, 7.9, 8.0];
        let histogram = Histogram::of(&samples);
        let found: Vec<_> = histogram.bars().iter().map(|bar| (bar.from, bar.below, bar.count)).collect();
        assert_eq!(found, [(0.5, 1.0, 3), (1.0, 2.0, 1), (2.0, 4.0, 0), (4.0, 8.0, 1), (8.0, 16.0, 1)]);
    }

    #[test]
    fn samples_beyond_both_ends_are_counted_and_none_make_no_bar() {
        let count =
            |samples: &[f64]| Histogram::of(samples).bars().iter().map(|bar| bar.count).sum::<usize>();
        assert_eq!(count(&[0.0, -1.0, f64::MAX, f64::INFINITY]), 4);
        assert_eq!(Histogram::of(&[]).bars(), []);
    }
}
