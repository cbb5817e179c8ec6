//! This file is where an unknown client and a wrong secret are timed in pairs, so that a difference would show.
//!
//! Both requests carry a secret of the right form and checksum, another client's, so that neither is refused
//! before the look-up. Each pair draws which of the two goes first; all go over one connection, one by one.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use http::StatusCode;
use serde::Serialize;

use crate::chance::Chance;
use crate::connection::{Ask, Connection};
use crate::failure::{Failure, Outcome};
use crate::gatepost::Installation;
use crate::processor::Placement;
use crate::statistics::Quartiles;

const WARM_UP: u32 = 100;
/// No server makes the nil UUID for a client.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Times in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Pairs {
    pub pairs: u32,
    pub seed: u64,
    pub unknown_client_us: Quartiles,
    pub wrong_secret_us: Quartiles,
    /// Median of unknown client minus median of wrong secret.
    pub difference_of_medians_us: f64,
    /// Median of the pairs' own differences.
    pub median_of_differences_us: f64,
}

impl fmt::Display for Pairs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "unknown client {:.1} us, wrong secret {:.1} us (medians of {} pairs, seed {})\n\
             difference of medians {:+.2} us, median of differences {:+.2} us",
            self.unknown_client_us.median,
            self.wrong_secret_us.median,
            self.pairs,
            self.seed,
            self.difference_of_medians_us,
            self.median_of_differences_us
        )
    }
}

pub(crate) async fn measure(installation: &Installation, pairs: u32, seed: u64) -> Outcome<Pairs> {
    let client = installation.client_of_default("known")?;
    let other = installation.client_of_default("other")?;
    let server = installation.serve(Placement::Shared)?;
    let unknown = Ask::token(UNKNOWN, &other.client_secret);
    let wrong = Ask::token(&client.client_id, &other.client_secret);
    let (unknown_us, wrong_us) = times(server.address, &unknown, &wrong, (pairs, seed)).await?;

    let differences: Vec<f64> =
        unknown_us.iter().zip(&wrong_us).map(|(unknown, wrong)| unknown - wrong).collect();
    let (unknown_client_us, wrong_secret_us) = (Quartiles::of(&unknown_us), Quartiles::of(&wrong_us));
    Ok(Pairs {
        pairs,
        seed,
        difference_of_medians_us: unknown_client_us.median - wrong_secret_us.median,
        median_of_differences_us: Quartiles::of(&differences).median,
        unknown_client_us,
        wrong_secret_us,
    })
}

async fn times(
    address: SocketAddr,
    unknown: &Ask,
    wrong: &Ask,
    (pairs, seed): (u32, u64),
) -> Outcome<(Vec<f64>, Vec<f64>)> {
    let mut connection = Connection::open(address).await?;
    let mut order = Chance::of(seed);
    let (mut unknown_us, mut wrong_us) = (Vec::new(), Vec::new());
    for pair in 0..pairs + WARM_UP {
        let unknown_first = order.either();
        let (first, second) = if unknown_first { (unknown, wrong) } else { (wrong, unknown) };
        let first = refused(&mut connection, first).await?;
        let second = refused(&mut connection, second).await?;
        if pair >= WARM_UP {
            let (unknown, wrong) = if unknown_first { (first, second) } else { (second, first) };
            unknown_us.push(unknown);
            wrong_us.push(wrong);
        }
    }
    Ok((unknown_us, wrong_us))
}

/// Microseconds until the refusal was read.
async fn refused(connection: &mut Connection, ask: &Ask) -> Outcome<f64> {
    let asked = Instant::now();
    let (status, body) = connection.ask(ask).await?;
    let passed = asked.elapsed().as_secs_f64() * 1e6;
    // Both ids come from one address and reach its limit of failures together.
    if status != StatusCode::UNAUTHORIZED && status != StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::new("a wrong pair was not refused", String::from_utf8_lossy(&body)));
    }
    Ok(passed)
}
