//! This file is where the server is asked near and beyond what it can give: at .8 of its capacity, at twice of it, and
//! by one client that floods beside one that does not.
//!
//! Each round first finds the capacity, the rate of a closed loop at 64 connections, and the time of one signature;
//! both change with the machine, so each round's figures are told in its own.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::arguments::Plan;
use crate::closed_loop;
use crate::connection::{Ask, fetch};
use crate::failure::Outcome;
use crate::gatepost::{Installation, Server};
use crate::open_loop::{self, Answers, Arrivals};
use crate::processor::Placement;
use crate::raw::Raw;
use crate::statistics::{Latency, Quartiles};
use crate::subject::Subject;
use crate::tokens::{Key, Tokens, signed_length};

/// The closed loop whose rate is the capacity.
const CLOSED: u16 = 64;
/// The connections of the client that floods.
const FLOOD: u16 = 256;
/// Fewer samples than this make no 99th percentile.
const SAMPLES: f64 = 10_000.0;
/// What is answered later than this came too late to count as served.
const IN_TIME: Duration = Duration::from_secs(1);

/// Which load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// .8 of the capacity, Poisson.
    Busy,
    /// Twice the capacity, Poisson, any number under way.
    Twice,
    /// A closed loop of 256 connections of one client; measured is another, Poisson at 5 % of the capacity.
    Flood,
}

/// The rounds of one load.
#[derive(Debug, Serialize)]
pub(crate) struct Overload {
    pub load: Load,
    pub seed: u64,
    pub rounds: Vec<Round>,
    /// Medians over the rounds.
    pub p99_in_signing_times: f64,
    pub served_over_capacity: f64,
    /// All rounds together.
    pub refused: usize,
    pub asked: usize,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

/// One round, in its own capacity and signing time.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub capacity: f64,
    pub signing_ms: f64,
    /// Of the 200s that came in time, from when they were due.
    pub latency_ms: Latency,
    /// Of the 503s.
    pub refusal_ms: Latency,
    /// 200s in time, a second.
    pub served: f64,
    pub generator_share: f64,
}

/// A warm server, a client that is measured and one that may flood.
struct Ground {
    server: Server,
    ask: Ask,
    flood: Ask,
    keys: Ask,
    raw: Raw,
}

pub(crate) async fn measure(
    installation: &Installation,
    plan: &Plan,
    load: Load,
    seed: u64,
) -> Outcome<Overload> {
    let ground = Ground::prepare(installation, plan, load).await?;
    let keys = fetch(ground.server.address, &ground.keys).await?;
    let mut tokens = Tokens::new(Key::of_document(&keys)?);
    let mut found = Overload {
        load,
        seed,
        rounds: Vec::new(),
        p99_in_signing_times: 0.0,
        served_over_capacity: 0.0,
        refused: 0,
        asked: 0,
        void: Vec::new(),
    };
    for number in 0..u64::from(plan.slices) {
        let (round, answers) = ground.round(plan, load, seed + number).await?;
        found.take(round, &answers);
        tokens.take_bodies(&answers.served.into_iter().map(|(body, _)| body).collect::<Vec<_>>())?;
    }
    found.sum_up(&tokens);
    Ok(found)
}

impl Ground {
    async fn prepare(installation: &Installation, plan: &Plan, load: Load) -> Outcome<Self> {
        let client = installation.client_for(Subject::Rsa4096, load.name())?;
        let flood = installation.client_of_default(load.name())?;
        let server = installation.serve(Placement::Shared)?;
        let ask = Ask::token_of(&client);
        let length = signed_length(&fetch(server.address, &ask).await?)?;
        let raw = Raw::new(Subject::Rsa4096, length, installation.folder(), plan.own_words)?;
        closed_loop::run(server.address, &ask, CLOSED, plan.warm_up).await?;
        let keys = Ask::Get(format!("/.well-known/jwks/{}.json", client.api));
        Ok(Self { server, ask, flood: Ask::token_of(&flood), keys, raw })
    }

    async fn round(&self, plan: &Plan, load: Load, seed: u64) -> Outcome<(Round, Answers)> {
        let signing_ms =
            Placement::Shared.cores() as f64 / self.raw.slice(Placement::Shared, plan.slice)? * 1e3;
        let capacity = closed_loop::run(self.server.address, &self.ask, CLOSED, plan.slice).await?.rate();
        let (mut answers, window) = self.loaded(plan, load, (capacity, seed)).await?;
        answers.served.retain(|(_, milliseconds)| *milliseconds <= IN_TIME.as_secs_f64() * 1e3);
        let latencies: Vec<f64> = answers.served.iter().map(|(_, milliseconds)| *milliseconds).collect();
        let round = Round {
            capacity,
            signing_ms,
            latency_ms: Latency::of(&latencies),
            refusal_ms: Latency::of(&answers.refused),
            served: latencies.len() as f64 / window.as_secs_f64(),
            generator_share: answers.generator_share,
        };
        Ok((round, answers))
    }

    async fn loaded(
        &self,
        plan: &Plan,
        load: Load,
        (capacity, seed): (f64, u64),
    ) -> Outcome<(Answers, Duration)> {
        let address = self.server.address;
        let rate = capacity * load.share();
        let window = match load {
            Load::Busy => plan.slice.max(Duration::from_secs_f64(plan.least(SAMPLES) / rate)),
            Load::Twice => plan.slice,
            Load::Flood => plan.slice * 6,
        };
        let measured = open_loop::run(address, &self.ask, Arrivals { rate, window, seed });
        let answers = match load {
            Load::Busy | Load::Twice => measured.await?,
            Load::Flood => {
                let flood = closed_loop::run(address, &self.flood, FLOOD, window);
                let (answers, flood) = tokio::join!(measured, flood);
                flood?;
                answers?
            }
        };
        Ok((answers, window))
    }
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Busy, Self::Twice, Self::Flood];

    fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Twice => "twice",
            Self::Flood => "flood",
        }
    }

    /// What the measured client asks for, over the capacity.
    fn share(self) -> f64 {
        match self {
            Self::Busy => 0.8,
            Self::Twice => 2.0,
            Self::Flood => 0.05,
        }
    }
}

impl Overload {
    fn take(&mut self, round: Round, answers: &Answers) {
        self.refused += answers.refused.len();
        self.asked += answers.served.len() + answers.refused.len();
        self.void
            .extend(answers.others.iter().map(|(status, count)| format!("{count} answers were {status}")));
        self.rounds.push(round);
    }

    fn sum_up(&mut self, tokens: &Tokens) {
        if tokens.distinct() != tokens.count {
            self.void.push("tokens share a jti".to_owned());
        }
        let of = |figure: fn(&Round) -> f64| {
            Quartiles::of(&self.rounds.iter().map(figure).collect::<Vec<_>>()).median
        };
        self.p99_in_signing_times = of(|round| round.latency_ms.p99 / round.signing_ms);
        self.served_over_capacity = of(|round| round.served / round.capacity);
    }
}

impl fmt::Display for Overload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = match self.load {
            Load::Busy => "at .8 of the capacity",
            Load::Twice => "at twice the capacity",
            Load::Flood => "a light client beside one of 256 connections",
        };
        write!(
            out,
            "{title}: p99 of the served {:.1} signing times, served over capacity {:.3}, refused {} of {} (seed {})",
            self.p99_in_signing_times, self.served_over_capacity, self.refused, self.asked, self.seed
        )?;
        for round in &self.rounds {
            write!(
                out,
                "\n  capacity {:.0}/s, one signature {:.2} ms; p50 {:.2} ms, p99 {:.2} ms of {}; refused in p99 {:.2} ms; \
                 generator {:.1} % of the machine",
                round.capacity,
                round.signing_ms,
                round.latency_ms.p50,
                round.latency_ms.p99,
                round.latency_ms.samples,
                round.refusal_ms.p99,
                round.generator_share * 100.0
            )?;
        }
        self.void.iter().try_for_each(|why| write!(out, "\n  VOID: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(p99: f64, served: f64) -> Round {
        let latency = Latency { p50: 1.0, p90: 1.0, p99, p999: p99, samples: 1 };
        Round {
            capacity: 100.0,
            signing_ms: 2.0,
            latency_ms: latency,
            refusal_ms: latency,
            served,
            generator_share: 0.0,
        }
    }

    #[test]
    fn each_round_is_told_in_its_own_signing_time_and_the_middle_one_counts() {
        let mut found = Overload {
            load: Load::Twice,
            seed: 1,
            rounds: vec![round(10.0, 95.0), round(14.0, 90.0), round(100.0, 20.0)],
            p99_in_signing_times: 0.0,
            served_over_capacity: 0.0,
            refused: 0,
            asked: 0,
            void: Vec::new(),
        };
        let key = Key::of_document(br#"{"keys":[{"kty":"OKP"}]}"#).expect("one key");
        found.sum_up(&Tokens::new(key));
        assert!((found.p99_in_signing_times - 7.0).abs() < 1e-9);
        assert!((found.served_over_capacity - 0.9).abs() < 1e-9);
    }
}
