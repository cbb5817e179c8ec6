//! This file is where samples become medians, quartiles and percentiles.

use serde::Serialize;

/// The middle half of a few figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quartiles {
    /// A quarter lies below.
    pub lower: f64,
    /// Half lies below.
    pub median: f64,
    /// Three quarters lie below.
    pub upper: f64,
}

impl Quartiles {
    /// Of these, in any order; zeros if there are none.
    #[must_use]
    pub fn of(samples: &[f64]) -> Self {
        let sorted = sorted(samples);
        Self { lower: at(&sorted, 0.25), median: at(&sorted, 0.5), upper: at(&sorted, 0.75) }
    }
}

/// The figures that latencies are told by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Half lies below.
    pub p50: f64,
    /// Nine in ten lie below.
    pub p90: f64,
    /// 99 in a hundred lie below.
    pub p99: f64,
    /// 999 in a thousand lie below.
    pub p999: f64,
    /// How many were measured.
    pub samples: usize,
}

impl Latency {
    pub(crate) fn of(samples: &[f64]) -> Self {
        let sorted = sorted(samples);
        let at = |share| at(&sorted, share);
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), samples: sorted.len() }
    }
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value below which this share of the samples lies; between two samples by their distance. No samples: 0.
fn at(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_split_five_slices_at_the_second_third_and_fourth() {
        let quartiles = Quartiles::of(&[50.0, 10.0, 40.0, 20.0, 30.0]);
        assert_eq!(quartiles, Quartiles { lower: 20.0, median: 30.0, upper: 40.0 });
    }

    #[test]
    fn a_percentile_between_two_samples_is_taken_by_distance() {
        assert!((at(&[0.0, 100.0], 0.99) - 99.0).abs() < 1e-9);
        assert!((at(&[7.0], 0.99) - 7.0).abs() < 1e-9);
    }

    #[test]
    fn no_samples_are_zero_and_counted_as_none() {
        assert_eq!(Latency::of(&[]), Latency { p50: 0.0, p90: 0.0, p99: 0.0, p999: 0.0, samples: 0 });
    }
}
