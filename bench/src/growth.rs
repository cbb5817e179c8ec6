//! This file is where it is measured how much the store grows with the tokens that are issued.
//!
//! The store is weighed while no server has it open: whoever closes it last writes the log back into the database,
//! so what is left is database and log after a checkpoint.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::closed_loop;
use crate::connection::Ask;
use crate::failure::{Failure, Outcome};
use crate::gatepost::Installation;
use crate::processor::{Placement, resident};
use crate::subject::Subject;

/// Keeps two cores busy.
const CONNECTIONS: u16 = 16;
/// Tokens are counted for so long before it is looked whether there are enough.
const SLICE: Duration = Duration::from_secs(2);
const MB: f64 = 1_048_576.0;

/// How many tokens are issued before the first and before the second weighing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub first: u64,
    pub then: u64,
}

/// What the store weighed, in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    pub algorithm: Subject,
    /// With the client, before its first token.
    pub empty_bytes: u64,
    pub first: Weighing,
    pub then: Weighing,
    /// What the tokens between the two weighings added, in MB (2^20 bytes).
    pub growth_mb: f64,
}

/// The store after so many tokens.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Weighing {
    pub tokens: u64,
    pub bytes: u64,
    /// Of the server that issued them, at most, in MB.
    pub most_resident_mb: f64,
    pub tokens_a_second: f64,
}

impl fmt::Display for Growth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "store growth, database and log after a checkpoint, {}: {:+.3} MB\n  before: {} bytes\n{}\n{}",
            self.algorithm.name(),
            self.growth_mb,
            self.empty_bytes,
            self.first,
            self.then
        )
    }
}

impl fmt::Display for Weighing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "  after {} tokens: {} bytes ({:.0} tokens/s, at most {:.1} MB resident)",
            self.tokens, self.bytes, self.tokens_a_second, self.most_resident_mb
        )
    }
}

pub(crate) async fn measure(installation: &Installation, counts: Counts) -> Outcome<Growth> {
    let algorithm = Subject::Eddsa;
    let client = installation.client_for(algorithm, "growth")?;
    installation.serve(Placement::Shared)?.stop()?;
    let empty_bytes = installation.stored_bytes()?;

    let ask = Ask::token_of(&client);
    let first = issue(installation, &ask, (0, counts.first)).await?;
    let then = issue(installation, &ask, (first.tokens, counts.then)).await?;
    let growth_mb = (then.bytes as f64 - first.bytes as f64) / MB;
    Ok(Growth { algorithm, empty_bytes, first, then, growth_mb })
}

/// Goes on from so many tokens to so many, ends the server and weighs what it left.
async fn issue(installation: &Installation, ask: &Ask, (from, to): (u64, u64)) -> Outcome<Weighing> {
    let server = installation.serve(Placement::Shared)?;
    let (mut tokens, began) = (from, Instant::now());
    while tokens < to {
        tokens += one_slice(server.address, ask).await?;
    }
    let tokens_a_second = (tokens - from) as f64 / began.elapsed().as_secs_f64();
    let (_, most_resident_mb) = resident(server.pid())?;
    server.stop()?;
    Ok(Weighing { tokens, bytes: installation.stored_bytes()?, most_resident_mb, tokens_a_second })
}

async fn one_slice(address: SocketAddr, ask: &Ask) -> Outcome<u64> {
    let slice = closed_loop::run(address, ask, CONNECTIONS, SLICE).await?;
    if !slice.others.is_empty() || slice.good == 0 {
        return Err(Failure::new("tokens to fill the store", format!("other answers: {:?}", slice.others)));
    }
    Ok(slice.good)
}
