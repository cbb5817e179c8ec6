//! This file is where tokens signed by a key of four primes are set against tokens signed by one of two.
//!
//! One server has an API for each, alike in all else; slices of both alternate, and each pair gives a ratio. Where there
//! are two cores the generator has one to itself: the faster key makes it heavy.

use std::fmt;

use serde::Serialize;

use crate::arguments::Plan;
use crate::closed_loop;
use crate::connection::{Ask, fetch};
use crate::failure::{Failure, Outcome};
use crate::gatepost::{Credentials, Installation, Server};
use crate::processor::{Placement, parted};
use crate::statistics::Quartiles;
use crate::subject::Subject;
use crate::throughput::figures;
use crate::tokens::{Key, Tokens};

const CONNECTIONS: u16 = 64;

/// Tokens a second by either key, RS256 of 4096 bits at 64 connections.
#[derive(Debug, Serialize)]
pub(crate) struct Primes {
    pub placement: Placement,
    /// Slice by slice.
    pub of_two: Vec<f64>,
    /// Slice by slice.
    pub of_four: Vec<f64>,
    /// Of the pairs of slices, four over two.
    pub ratio: Quartiles,
    /// The generator's share of the machine's processors, at most over the slices.
    pub generator_share: f64,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

impl fmt::Display for Primes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, ratio) = (self.placement, self.ratio.median);
        writeln!(
            out,
            "four primes over two, {CONNECTIONS} connections, {place}: {ratio:.2} times the tokens"
        )?;
        writeln!(out, "  two primes  /s {}", figures(&self.of_two, Quartiles::of(&self.of_two)))?;
        writeln!(out, "  four primes /s {}", figures(&self.of_four, Quartiles::of(&self.of_four)))?;
        write!(out, "  generator {:.1} % of the machine", self.generator_share * 100.0)?;
        self.void.iter().try_for_each(|why| write!(out, "\n  VOID: {why}"))
    }
}

/// One of the two APIs, and what it has issued.
struct Side {
    ask: Ask,
    tokens: Tokens,
    rates: Vec<f64>,
}

pub(crate) async fn measure(installation: &Installation, plan: &Plan) -> Outcome<Primes> {
    let two = installation.client_for(Subject::Rsa4096, "two-primes")?;
    let four = installation.client_for(Subject::Rsa4096, "four-primes")?;
    installation.rotate_to_four_primes(&four)?;
    if parted().is_err() {
        return alternate(installation, plan, Placement::Shared, [&two, &four]).await;
    }
    Placement::Apart.take_generators_cores()?;
    let done = alternate(installation, plan, Placement::Apart, [&two, &four]).await;
    Placement::Shared.take_generators_cores()?;
    done
}

async fn alternate(
    installation: &Installation,
    plan: &Plan,
    placement: Placement,
    [two, four]: [&Credentials; 2],
) -> Outcome<Primes> {
    let mut server = installation.serve(placement)?;
    let mut sides = [Side::of(&server, two).await?, Side::of(&server, four).await?];
    for side in &sides {
        closed_loop::run(server.address, &side.ask, 4, plan.warm_up).await?;
    }
    let (mut void, mut generator_share) = (Vec::new(), 0.0_f64);
    for _ in 0..plan.slices {
        for side in &mut sides {
            let slice = closed_loop::run(server.address, &side.ask, CONNECTIONS, plan.slice).await?;
            if let Some(status) = server.ended() {
                return Err(Failure::new("the server ended under load", status));
            }
            void.extend(slice.faults());
            generator_share = generator_share.max(slice.generator_share());
            side.tokens.take(&slice)?;
            side.rates.push(slice.rate());
        }
    }
    let [two, four] = sides;
    void.extend([&two, &four].into_iter().filter_map(Side::fault));
    let ratios: Vec<f64> = four.rates.iter().zip(&two.rates).map(|(four, two)| four / two).collect();
    let ratio = Quartiles::of(&ratios);
    Ok(Primes { placement, of_two: two.rates, of_four: four.rates, ratio, generator_share, void })
}

impl Side {
    async fn of(server: &Server, client: &Credentials) -> Outcome<Self> {
        let keys = Ask::Get(format!("/.well-known/jwks/{}.json", client.api));
        let key = Key::of_document(&fetch(server.address, &keys).await?)?;
        Ok(Self { ask: Ask::token_of(client), tokens: Tokens::new(key), rates: Vec::new() })
    }

    fn fault(&self) -> Option<String> {
        let shared = self.tokens.count - self.tokens.distinct();
        if self.tokens.count == 0 {
            return Some("no token was served".to_owned());
        }
        (shared > 0).then(|| format!("{shared} tokens share a jti with another"))
    }
}
