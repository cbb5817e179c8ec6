//! This file is where the server is asked near and beyond what it can give: at .8 of its capacity, at twice of it, and
//! by one client that floods beside one that does not.
//!
//! The capacity is the rate of a closed loop at 64 connections. It and the time of a signature change with the machine
//! within seconds, so a load is cut into parts, and both are measured between any two of them: a part's rate is set by
//! the capacity found just before it, and its figures are told in the mean of what was found before and after.

mod parts;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::arguments::Plan;
use crate::arrivals::Arrivals;
use crate::closed_loop;
use crate::connection::{Ask, fetch};
use crate::failure::{Failure, Outcome};
use crate::gatepost::{Installation, Server};
use crate::open_loop::{self, Answers};
use crate::processor::Placement;
use crate::raw::Raw;
use crate::statistics::Quartiles;
use crate::subject::Subject;
use crate::tokens::{Key, Tokens, signed_length};
use parts::{Ability, Parts, Round};

/// The closed loop whose rate is the capacity.
const CLOSED: u16 = 64;
/// The connections of the client that floods.
const FLOOD: u16 = 256;
/// Fewer samples than this make no 99th percentile.
const SAMPLES: f64 = 10_000.0;
/// Each part of a round has a seed of its own.
const PARTS_AT_MOST: u64 = 10;

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
    /// The same of threads that sign and do nothing else, at the same share of what they can; at .8 alone.
    pub floor_in_signing_times: Option<f64>,
    pub served_over_capacity: f64,
    /// All rounds together.
    pub refused: usize,
    pub asked: usize,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
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
        floor_in_signing_times: None,
        served_over_capacity: 0.0,
        refused: 0,
        asked: 0,
        void: Vec::new(),
    };
    for number in 0..u64::from(plan.slices) {
        let parts = ground.round(plan, load, seed + number * PARTS_AT_MOST).await?;
        tokens.take_bodies(&parts.bodies)?;
        found.take(&parts);
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

    async fn round(&self, plan: &Plan, load: Load, seed: u64) -> Outcome<Parts> {
        let mut parts = Parts::default();
        let mut before = self.ability(plan).await?;
        for number in 0..load.parts() {
            let (answers, window) = self.loaded(plan, load, (before.capacity, seed + number)).await?;
            let after = self.ability(plan).await?;
            parts.take(answers, before.mean(after), window);
            before = after;
            if load == Load::Busy {
                before = self.floor(plan, &mut parts, (before, window, seed + number)).await?;
            }
        }
        Ok(parts)
    }

    /// The same share of what signing alone gives, on signing alone: the theory's floor on the machine as it is.
    async fn floor(
        &self,
        plan: &Plan,
        parts: &mut Parts,
        (before, window, seed): (Ability, Duration, u64),
    ) -> Outcome<Ability> {
        let rate = Load::Busy.share() * Placement::Shared.cores() as f64 / before.signing_ms * 1e3;
        let latencies = self.raw.at_rate(Placement::Shared, Arrivals { rate, window, seed })?;
        let after = self.ability(plan).await?;
        parts.take_floor(&latencies, before.mean(after));
        Ok(after)
    }

    /// Raw signing and the closed loop, each for a fifth of a slice.
    async fn ability(&self, plan: &Plan) -> Outcome<Ability> {
        let window = plan.slice / 5;
        let signatures = self.raw.slice(Placement::Shared, window)?;
        let closed = closed_loop::run(self.server.address, &self.ask, CLOSED, window).await?;
        if !closed.others.is_empty() {
            return Err(Failure::new("the capacity", format!("answers were {:?}", closed.others)));
        }
        Ok(Ability {
            signing_ms: Placement::Shared.cores() as f64 / signatures * 1e3,
            capacity: closed.rate(),
        })
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
            Load::Busy | Load::Twice => {
                let enough = Duration::from_secs_f64(plan.least(SAMPLES) / rate.min(capacity));
                plan.slice.max(enough) / u32::try_from(load.parts()).unwrap_or(1)
            }
            Load::Flood => plan.slice,
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

    /// Into how many parts a round is cut. At twice the capacity a part has a beginning that differs from the rest, so
    /// it is one.
    fn parts(self) -> u64 {
        match self {
            Self::Busy => 5,
            Self::Twice => 1,
            Self::Flood => 6,
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
    fn take(&mut self, parts: &Parts) {
        self.refused += parts.refused.len();
        self.asked += parts.bodies.len() + parts.refused.len();
        self.void.extend(parts.others.iter().map(|(status, count)| format!("{count} answers were {status}")));
        self.rounds.push(parts.round());
    }

    fn sum_up(&mut self, tokens: &Tokens) {
        if tokens.distinct() != tokens.count {
            self.void.push("tokens share a jti".to_owned());
        }
        let of = |figure: fn(&Round) -> f64| {
            Quartiles::of(&self.rounds.iter().map(figure).collect::<Vec<_>>()).median
        };
        self.p99_in_signing_times = of(|round| round.p99_in_signing_times);
        let floors: Vec<f64> = self.rounds.iter().filter_map(|round| round.floor_in_signing_times).collect();
        self.floor_in_signing_times = (!floors.is_empty()).then(|| Quartiles::of(&floors).median);
        self.served_over_capacity = of(|round| round.served_over_capacity);
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
        if let Some(floor) = self.floor_in_signing_times {
            write!(
                out,
                "\n  signing alone, first in first out, at .8 of what it can: p99 {floor:.1} signing times"
            )?;
        }
        self.rounds.iter().try_for_each(|round| write!(out, "\n  {round}"))?;
        self.void.iter().try_for_each(|why| write!(out, "\n  VOID: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::parts::tests::parts;
    use super::*;

    #[test]
    fn of_the_rounds_the_middle_one_counts() {
        let mut found = Overload {
            load: Load::Twice,
            seed: 1,
            rounds: [10.0, 14.0, 100.0].map(|latency| parts(latency, 2.0).round()).into(),
            p99_in_signing_times: 0.0,
            floor_in_signing_times: None,
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
