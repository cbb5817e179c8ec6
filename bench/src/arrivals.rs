//! This file is where it is drawn when something is due, and waited for until it is.

use std::time::{Duration, Instant};

use crate::chance::Chance;

/// How often something is due, for how long, and which of all possible arrivals these are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrivals {
    pub rate: f64,
    pub window: Duration,
    pub seed: u64,
}

/// Moments after the beginning, the time between two drawn from the exponential distribution.
pub(crate) struct Moments {
    arrivals: Arrivals,
    chance: Chance,
    last: f64,
}

impl Moments {
    pub(crate) fn of(arrivals: Arrivals) -> Self {
        Self { arrivals, chance: Chance::of(arrivals.seed), last: 0.0 }
    }
}

impl Iterator for Moments {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.last += -(1.0 - self.chance.below_one()).ln() / self.arrivals.rate;
        (self.last < self.arrivals.window.as_secs_f64()).then(|| Duration::from_secs_f64(self.last))
    }
}

/// Returns when it is due; the thread has nothing else to do.
#[expect(clippy::disallowed_methods, reason = "the clock of the arrivals is what such a thread is for")]
pub(crate) fn wait_until(due: Instant) {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(seed: u64) -> Vec<Duration> {
        Moments::of(Arrivals { rate: 1_000.0, window: Duration::from_secs(20), seed }).collect()
    }

    #[test]
    fn arrivals_come_at_their_rate_with_gaps_as_uneven_as_poissons() {
        let moments = moments(7);
        assert!((19_500..20_500).contains(&moments.len()), "{}", moments.len());
        let gaps: Vec<f64> = moments.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((0.9..1.1).contains(&(variance / mean.powi(2))), "{variance} {mean}");
    }

    #[test]
    fn the_seed_decides_the_arrivals() {
        assert_eq!(moments(1), moments(1));
        assert_ne!(moments(1), moments(2));
    }
}
