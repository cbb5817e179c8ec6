//! This file is where requests come when they are due, whether earlier ones were answered or not, as partners' do.
//!
//! Arrivals are Poisson from a seed. A latency counts from the moment at which its request was due, so a server that
//! stops for a while can't hide it. A thread of its own keeps the time, for timers of the runtime round up to a
//! millisecond, which is half a signature.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::connection::{Ask, Connection};
use crate::failure::{Failure, Outcome};
use crate::processor::{OwnShare, cores};

/// Requests without an answer at once; more than this many is a server that no longer answers.
const MOST_UNDER_WAY: usize = 20_000;

/// How often requests come, for how long, and which of all possible arrivals these are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrivals {
    pub rate: f64,
    pub window: Duration,
    pub seed: u64,
}

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Of the 200s: body and milliseconds from when the request was due.
    pub served: Vec<(Bytes, f64)>,
    /// Of the 503s: milliseconds in the same way.
    pub refused: Vec<f64>,
    /// Every other status and how often.
    pub others: BTreeMap<u16, u64>,
    /// The generator's share of the machine's processors.
    pub generator_share: f64,
}

type Idle = Arc<Mutex<Vec<Connection>>>;

/// Sends what is due and waits for all answers.
pub(crate) async fn run(address: SocketAddr, ask: &Ask, arrivals: Arrivals) -> Outcome<Answers> {
    let (idle, mut under_way) = (Idle::default(), JoinSet::new());
    let mut answers = Answers::default();
    let mut due = on_own_thread(arrivals);
    let share = OwnShare::start()?;
    while let Some(at) = due.recv().await {
        if under_way.len() >= MOST_UNDER_WAY {
            return Err(Failure::new(
                "the server",
                format!("{MOST_UNDER_WAY} requests are without an answer"),
            ));
        }
        under_way.spawn(one(address, ask.clone(), Arc::clone(&idle), at));
        while let Some(done) = under_way.try_join_next() {
            answers.take(done.map_err(|why| Failure::new("a request of the generator", why))??);
        }
    }
    let (processor_seconds, passed) = share.taken()?;
    answers.generator_share = processor_seconds / (passed.as_secs_f64() * cores() as f64);
    while let Some(done) = under_way.join_next().await {
        answers.take(done.map_err(|why| Failure::new("a request of the generator", why))??);
    }
    Ok(answers)
}

impl Answers {
    fn take(&mut self, (status, body, milliseconds): (StatusCode, Bytes, f64)) {
        match status {
            StatusCode::OK => self.served.push((body, milliseconds)),
            StatusCode::SERVICE_UNAVAILABLE => self.refused.push(milliseconds),
            other => *self.others.entry(other.as_u16()).or_default() += 1,
        }
    }
}

async fn one(address: SocketAddr, ask: Ask, idle: Idle, due: Instant) -> Outcome<(StatusCode, Bytes, f64)> {
    let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = match free {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let (status, body) = connection.ask(&ask).await?;
    let milliseconds = due.elapsed().as_secs_f64() * 1e3;
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok((status, body, milliseconds))
}

/// The moments at which requests are due, each told when it has come.
#[expect(clippy::disallowed_methods, reason = "the clock of the arrivals is what this thread is for")]
fn on_own_thread(arrivals: Arrivals) -> mpsc::UnboundedReceiver<Instant> {
    let (told, due) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let began = Instant::now();
        for after in Moments::of(arrivals) {
            let at = began + after;
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            // Nobody listens any more: the measurement has failed and says why itself.
            if told.send(at).is_err() {
                return;
            }
        }
    });
    due
}

/// Moments after the beginning, the time between two drawn from the exponential distribution.
struct Moments {
    arrivals: Arrivals,
    chance: Chance,
    last: f64,
}

impl Moments {
    fn of(arrivals: Arrivals) -> Self {
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
