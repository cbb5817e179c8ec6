//! This file is where the server gets requests at a rate that is set beforehand, for the command line: so many a second,
//! or a share of what it can give.
//!
//! Each round measures signing alone and the capacity first, for both move with the machine; the open loop is that of
//! `open_loop.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::arrivals::Arrivals;
use crate::closed_loop;
use crate::connection::{Ask, fetch};
use crate::failure::Outcome;
use crate::gatepost::{Installation, Server};
use crate::histogram::Histogram;
use crate::open_loop::{self, Answers};
use crate::processor::Placement;
use crate::raw::Raw;
use crate::statistics::{Latency, Quartiles};
use crate::subject::Subject;
use crate::throughput::above_the_limit;
use crate::token_load::TokenLoad;
use crate::tokens::{Key, Tokens, signed_length};

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Requests a second.
    Rate(f64),
    /// A share of the capacity, the rate of a closed loop over all the connections.
    Load(f64),
}

/// What came of it, all rounds together.
#[derive(Debug, Serialize)]
pub struct Offered {
    /// What was signed with.
    pub algorithm: Subject,
    /// What was asked for.
    pub asked_for: Pace,
    /// Decides the arrivals; the round's number is added.
    pub seed: u64,
    /// Round by round.
    pub rounds: Vec<Round>,
    /// Of the 200s in milliseconds, from when each was due.
    pub latency_ms: Latency,
    /// The same samples.
    pub histogram_ms: Histogram,
    /// The 99th percentile in times of one signature on one core.
    pub p99_in_signing_times: f64,
    /// Requests that were sent.
    pub asked: usize,
    /// 200s.
    pub served: usize,
    /// 503s.
    pub refused: usize,
    /// Every other status and how often.
    pub others: BTreeMap<u16, u64>,
    /// Different ids among the tokens.
    pub distinct_jti: usize,
    /// How many tokens were verified with the published key.
    pub verified: usize,
    /// The generator's share of the machine's processors, at most over the rounds.
    pub generator_share: f64,
    /// Why the figure does not count; empty when it does.
    pub void: Vec<String>,
}

/// One round.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Round {
    /// Signatures a second.
    pub raw: f64,
    /// Tokens a second of the closed loop.
    pub capacity: f64,
    /// Requests that were due a second.
    pub rate: f64,
    /// 200s a second.
    pub served: f64,
}

/// A warm server and its client.
struct Ground<'a> {
    load: &'a TokenLoad,
    server: Server,
    request: Ask,
    raw: Raw,
    tokens: Tokens,
}

/// All answers so far.
#[derive(Default)]
struct Sum {
    latencies: Vec<f64>,
    refused: usize,
    others: BTreeMap<u16, u64>,
    generator_share: f64,
}

pub(crate) async fn measure(
    installation: &Installation,
    load: &TokenLoad,
    asked_for: Pace,
    seed: u64,
    tell: &dyn Fn(&str),
) -> Outcome<Offered> {
    let mut ground = Ground::prepare(installation, load).await?;
    let (mut rounds, mut sum) = (Vec::new(), Sum::default());
    for number in 1..=load.slices {
        let round = ground.round(asked_for, seed.wrapping_add(number.into()), &mut sum).await?;
        tell(&format!(
            "round {number} of {}: signing alone {:.0}/s, capacity {:.0}/s, asked for {:.0}/s, served {:.0}/s",
            load.slices, round.raw, round.capacity, round.rate, round.served
        ));
        rounds.push(round);
    }
    Ok(sum.offered(&ground, asked_for, seed, rounds))
}

impl<'a> Ground<'a> {
    async fn prepare(installation: &Installation, load: &'a TokenLoad) -> Outcome<Self> {
        let client = installation.client_of(load.algorithm)?;
        let server = installation.serve(Placement::Shared)?;
        let request = Ask::token_of(&client);
        let length = signed_length(&fetch(server.address, &request).await?)?;
        let raw = Raw::new(load.algorithm, length, installation.folder(), load.own_words)?;
        closed_loop::run(server.address, &request, load.connections, load.plan().warm_up).await?;
        let keys = Ask::Get(format!("/.well-known/jwks/{}.json", client.api));
        let tokens = Tokens::new(Key::of_document(&fetch(server.address, &keys).await?)?);
        Ok(Self { load, server, request, raw, tokens })
    }

    async fn round(&mut self, asked_for: Pace, seed: u64, sum: &mut Sum) -> Outcome<Round> {
        let (address, window) = (self.server.address, self.load.slice);
        let raw = self.raw.slice(Placement::Shared, window)?;
        let closed = closed_loop::run(address, &self.request, self.load.connections, window).await?;
        let capacity = closed.rate();
        let rate = match asked_for {
            Pace::Rate(rate) => rate,
            Pace::Load(share) => share * capacity,
        };
        // A server that gives nothing is asked for one token all the same, and says why.
        let rate = rate.max(1.0 / window.as_secs_f64());
        let answers = open_loop::run(address, &self.request, Arrivals { rate, window, seed }).await?;
        let served = sum.take(answers, &mut self.tokens, window)?;
        Ok(Round { raw, capacity, rate, served })
    }
}

impl Sum {
    /// 200s a second.
    fn take(&mut self, answers: Answers, tokens: &mut Tokens, window: Duration) -> Outcome<f64> {
        let (bodies, latencies): (Vec<_>, Vec<_>) = answers.served.into_iter().unzip();
        tokens.take_bodies(&bodies)?;
        self.latencies.extend(latencies);
        self.refused += answers.refused.len();
        for (status, count) in answers.others {
            *self.others.entry(status).or_default() += count;
        }
        self.generator_share = self.generator_share.max(answers.generator_share);
        Ok(bodies.len() as f64 / window.as_secs_f64())
    }

    fn offered(self, ground: &Ground<'_>, asked_for: Pace, seed: u64, rounds: Vec<Round>) -> Offered {
        let raw: Vec<f64> = rounds.iter().map(|round| round.raw).collect();
        let over_raw: Vec<f64> = rounds.iter().map(|round| round.capacity / round.raw).collect();
        let noise = above_the_limit(Quartiles::of(&over_raw).median);
        let signing_ms = Placement::Shared.cores() as f64 / Quartiles::of(&raw).median * 1e3;
        let latency_ms = Latency::of(&self.latencies);
        let others: u64 = self.others.values().sum();
        Offered {
            algorithm: ground.load.algorithm,
            asked_for,
            seed,
            rounds,
            p99_in_signing_times: latency_ms.p99 / signing_ms,
            latency_ms,
            histogram_ms: Histogram::of(&self.latencies),
            asked: self.latencies.len() + self.refused + others as usize,
            served: self.latencies.len(),
            refused: self.refused,
            void: void(&ground.tokens, &self.others).into_iter().chain(noise).collect(),
            others: self.others,
            distinct_jti: ground.tokens.distinct(),
            verified: ground.tokens.verified,
            generator_share: self.generator_share,
        }
    }
}

fn void(tokens: &Tokens, others: &BTreeMap<u16, u64>) -> Vec<String> {
    let mut void: Vec<String> =
        others.iter().map(|(status, count)| format!("{count} answers were {status}")).collect();
    if tokens.distinct() != tokens.count {
        void.push("tokens share a jti".to_owned());
    }
    if tokens.count == 0 {
        void.push("no token was served".to_owned());
    }
    void
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn no_tokens() -> Tokens {
        Tokens::new(Key::of_document(br#"{"keys":[{"kty":"OKP"}]}"#).expect("one key"))
    }

    #[test]
    fn refusals_and_other_answers_of_all_rounds_are_added_up() {
        let (mut sum, mut tokens) = (Sum::default(), no_tokens());
        for share in [0.25, 0.5] {
            let answers = Answers {
                served: Vec::<(Bytes, f64)>::new(),
                refused: vec![1.0, 2.0],
                others: BTreeMap::from([(500, 3)]),
                late: Vec::new(),
                generator_share: share,
            };
            assert!(sum.take(answers, &mut tokens, Duration::from_secs(1)).expect("no token").abs() < 1e-9);
        }
        assert_eq!((sum.refused, sum.others.get(&500)), (4, Some(&6)));
        assert!((sum.generator_share - 0.5).abs() < 1e-9);
        assert_eq!(void(&tokens, &sum.others), ["6 answers were 500", "no token was served"]);
    }
}
