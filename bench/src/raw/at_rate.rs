//! This file is where threads that sign take what is due, first in first out, with nothing around them: the floor of
//! how long a token can take at that rate on this machine in this minute.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::arrivals::{Arrivals, Moments, wait_until};

/// Milliseconds from when each signature was due to when it was made; nothing when one could not be made.
///
/// Each thread takes the next of all that is to come and waits until it is due, so that nothing hands over.
pub(super) fn latencies(
    threads: usize,
    arrivals: Arrivals,
    sign: impl Fn() -> Option<()> + Sync,
) -> Option<Vec<f64>> {
    let moments: Vec<Duration> = Moments::of(arrivals).collect();
    let (next, began) = (AtomicUsize::new(0), Instant::now());
    let work = || {
        let mut latencies = Vec::new();
        while let Some(due) = moments.get(next.fetch_add(1, Ordering::Relaxed)).map(|moment| began + *moment)
        {
            wait_until(due);
            sign()?;
            latencies.push(due.elapsed().as_secs_f64() * 1e3);
        }
        Some(latencies)
    };
    let of_threads: Option<Vec<Vec<f64>>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().ok().flatten()).collect()
    });
    of_threads.map(|latencies| latencies.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVALS: Arrivals = Arrivals { rate: 2_000.0, window: Duration::from_millis(50), seed: 1 };

    #[test]
    fn each_is_signed_once_and_none_before_it_is_due() {
        let signed = AtomicUsize::new(0);
        let sign = || {
            signed.fetch_add(1, Ordering::Relaxed);
            Some(())
        };
        let latencies = latencies(2, ARRIVALS, sign).expect("signatures");
        assert_eq!(latencies.len(), Moments::of(ARRIVALS).count());
        assert_eq!(signed.into_inner(), latencies.len());
        assert!(latencies.iter().all(|latency| *latency >= 0.0));
    }

    #[test]
    fn what_could_not_be_signed_leaves_no_figure() {
        assert_eq!(latencies(2, ARRIVALS, || None), None);
    }
}
