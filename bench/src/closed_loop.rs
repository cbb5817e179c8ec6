//! This file is where load is made: each connection asks again as soon as it was answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;

use crate::connection::{Ask, Connection};
use crate::failure::{Failure, Outcome};
use crate::processor::{OwnShare, cores};

/// What one slice of load brought.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    pub window: Duration,
    /// Bodies of the 200s that ended within the window.
    pub bodies: Vec<Bytes>,
    /// Their latencies in milliseconds.
    pub latencies: Vec<f64>,
    /// Every other status and how often.
    pub others: BTreeMap<u16, u64>,
    /// The generator's share of the machine's processors.
    pub generator_share: f64,
}

impl Slice {
    pub(crate) fn rate(&self) -> f64 {
        self.bodies.len() as f64 / self.window.as_secs_f64()
    }

    fn take(&mut self, one: Slice) {
        self.bodies.extend(one.bodies);
        self.latencies.extend(one.latencies);
        for (status, count) in one.others {
            *self.others.entry(status).or_default() += count;
        }
    }
}

/// Keeps this many connections busy for the window; what ends later is waited for and not counted.
pub(crate) async fn run(
    address: SocketAddr,
    ask: &Ask,
    connections: u16,
    window: Duration,
) -> Outcome<Slice> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let share = OwnShare::start()?;
    let end = Instant::now() + window;
    let loops: Vec<_> =
        open.into_iter().map(|one| tokio::spawn(one_connection(one, ask.clone(), end))).collect();
    tokio::time::sleep_until(end.into()).await;
    let (processor_seconds, passed) = share.taken()?;

    let generator_share = processor_seconds / (passed.as_secs_f64() * cores() as f64);
    let mut slice = Slice { window, generator_share, ..Slice::default() };
    for one in loops {
        slice.take(one.await.map_err(|why| Failure::new("a connection of the generator", why))??);
    }
    Ok(slice)
}

async fn one_connection(mut connection: Connection, ask: Ask, end: Instant) -> Outcome<Slice> {
    let mut slice = Slice::default();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok(slice);
        }
        let (status, body) = connection.ask(&ask).await?;
        let answered = Instant::now();
        if answered > end {
            return Ok(slice);
        }
        if status == StatusCode::OK {
            slice.bodies.push(body);
            slice.latencies.push((answered - asked).as_secs_f64() * 1e3);
        } else {
            *slice.others.entry(status.as_u16()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_counts_only_the_200s_of_the_window() {
        let mut slice = Slice { window: Duration::from_secs(2), ..Slice::default() };
        let one = || Slice {
            bodies: vec![Bytes::new(); 5],
            latencies: vec![1.0; 5],
            others: BTreeMap::from([(503, 2)]),
            ..Slice::default()
        };
        slice.take(one());
        slice.take(one());
        assert!((slice.rate() - 5.0).abs() < 1e-9);
        assert_eq!(slice.others, BTreeMap::from([(503, 4)]));
    }
}
