//! This file is where a server with a million clients is set against one with a thousand.
//!
//! Both are asked in turns, each time by a client drawn by Zipf's law (exponent 1), as crowds ask, once they have done
//! what they do after their start. Then the large one is started anew and every client asks once, at once; the memory is
//! read when all have asked.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::arguments::{Arguments, Plan};
use crate::failure::Outcome;
use crate::load::{FULL, rates};
use crate::processor::{Placement, resident, seconds_of, seconds_of_ended};
use crate::stage::{Slice, Stage, Zipf, at_rest, lookups};
use crate::statistics::Quartiles;

const FEW: u64 = 1_000;
/// Nobody waits longer for every client to have asked once.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Many clients against few, EdDSA.
#[derive(Debug, Serialize)]
pub(crate) struct Crowd {
    pub few: u64,
    pub many: u64,
    /// Tokens a second, slice by slice, asked after Zipf's law.
    pub of_few: Vec<f64>,
    pub of_many: Vec<f64>,
    /// Of the pairs' ratios.
    pub ratio: Quartiles,
    /// The share of the large one's look-ups that needed no read of its store, as it counts them itself.
    pub hit_rate: f64,
    /// Tokens a second while every client asks once, from a cold start.
    pub cold: f64,
    /// Over the median of the small one.
    pub cold_ratio: f64,
    /// Processor microseconds a token: small, large, cold.
    pub processor_us: (f64, f64, f64),
    /// Processor microseconds a client that stopping it took then: counts that were not written yet.
    pub left_us: f64,
    /// From exec to the ready line with all these clients.
    pub ready_ms: f64,
    /// From then until a server that nobody asked was at rest.
    pub at_rest_s: f64,
    /// At most, after every client has asked.
    pub most_resident_mb: f64,
    /// The generator's use of its own core, at most over the slices.
    pub generator_core: f64,
    pub void: Vec<String>,
}

/// What was measured before it is summed up.
struct Found {
    of_few: Vec<Slice>,
    of_many: Vec<Slice>,
    cold: Slice,
    /// Processor seconds that stopping took.
    left: f64,
    hit_rate: f64,
    ready: Duration,
    at_rest: Duration,
    most_resident_mb: f64,
}

pub(crate) async fn measure(arguments: &Arguments, plan: &Plan) -> Outcome<Crowd> {
    let many = arguments.many();
    let small = Stage::prepare(arguments, FEW.min(many)).await?;
    let large = Stage::prepare(arguments, many).await?;
    Placement::Apart.take_generators_cores()?;
    let measured = both(&small, &large, arguments.seed, plan).await;
    Placement::Shared.take_generators_cores()?;
    Ok(Crowd::of(&small, &large, &measured?))
}

async fn both(small: &Stage, large: &Stage, seed: u64, plan: &Plan) -> Outcome<Found> {
    let servers = (small.installation.serve(Placement::Apart)?, large.installation.serve(Placement::Apart)?);
    let zipf = (Zipf::of(small.count), Zipf::of(large.count));
    let at_rest = at_rest(&servers.1).await?;
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    small.slice(&servers.0, small.drawn(&servers.0, &zipf.0, seed), plan.warm_up).await?;
    large.slice(&servers.1, large.drawn(&servers.1, &zipf.1, seed), plan.warm_up).await?;
    let before = lookups(&servers.1).await?;
    for number in 1..=u64::from(plan.slices) {
        let seed = seed.wrapping_add(number);
        let few = small.drawn(&servers.0, &zipf.0, seed);
        of_few.push(small.slice(&servers.0, few, plan.slice).await?);
        let many = large.drawn(&servers.1, &zipf.1, seed);
        of_many.push(large.slice(&servers.1, many, plan.slice).await?);
    }
    let hit_rate = lookups(&servers.1).await?.hit_rate_since(before);
    drop(servers);

    let began = Instant::now();
    let server = large.installation.serve(Placement::Apart)?;
    let ready = began.elapsed();
    let cold = large.slice(&server, large.each_once(&server), LONGEST).await?;
    let (_, most_resident_mb) = resident(server.pid())?;
    let (ended, before) = (seconds_of_ended()?, seconds_of(server.pid())?);
    server.stop()?;
    let left = seconds_of_ended()? - ended - before;
    Ok(Found { of_few, of_many, cold, left, hit_rate, ready, at_rest, most_resident_mb })
}

/// For a reader.
impl fmt::Display for Crowd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.in_words())
    }
}

impl Crowd {
    fn of(small: &Stage, large: &Stage, found: &Found) -> Self {
        let of_each = |slices: &[Slice]| slices.iter().map(|slice| slice.load.rate()).collect::<Vec<f64>>();
        let (of_few, of_many) = (of_each(&found.of_few), of_each(&found.of_many));
        let ratios: Vec<f64> = of_many.iter().zip(&of_few).map(|(many, few)| many / few).collect();
        let cold = found.cold.load.rate();
        Self {
            few: small.count,
            many: large.count,
            ratio: Quartiles::of(&ratios),
            hit_rate: found.hit_rate,
            cold,
            cold_ratio: cold / Quartiles::of(&of_few).median,
            processor_us: (us(&found.of_few), us(&found.of_many), us(std::slice::from_ref(&found.cold))),
            left_us: found.left * 1e6 / large.count as f64,
            of_few,
            of_many,
            ready_ms: found.ready.as_secs_f64() * 1e3,
            at_rest_s: found.at_rest.as_secs_f64(),
            most_resident_mb: found.most_resident_mb,
            generator_core: found.slices().map(|slice| slice.load.generator_cores).fold(0.0, f64::max),
            void: found.void(large.count),
        }
    }

    fn in_words(&self) -> String {
        let mut lines = vec![
            format!(
                "{} clients against {}, EdDSA, Zipf 1.0, {}: {:.3}  (quartiles {:.3} to {:.3})",
                self.many,
                self.few,
                Placement::Apart,
                self.ratio.median,
                self.ratio.lower,
                self.ratio.upper
            ),
            rates("few         /s", &self.of_few),
            rates("many        /s", &self.of_many),
            format!("  of the many's look-ups {:.2} % needed no read of the store", self.hit_rate * 100.0),
            format!("  each of the many once, cold: {:.0}/s, so {:.3}", self.cold, self.cold_ratio),
            format!(
                "  processor us a token: few {:.1}, many {:.1}, cold {:.1} and {:.1} for counts that were left",
                self.processor_us.0, self.processor_us.1, self.processor_us.2, self.left_us
            ),
            format!(
                "  ready after {:.0} ms, at rest {:.0} s later; at most {:.1} MB resident",
                self.ready_ms, self.at_rest_s, self.most_resident_mb
            ),
            format!("  generator's core {:.0} % busy", self.generator_core * 100.0),
        ];
        lines.extend(self.void.iter().map(|why| format!("  VOID: {why}")));
        lines.join("\n")
    }
}

impl Found {
    fn slices(&self) -> impl Iterator<Item = &Slice> {
        self.of_few.iter().chain(&self.of_many).chain([&self.cold])
    }

    fn void(&self, clients: u64) -> Vec<String> {
        let mut void: Vec<String> = self.slices().flat_map(|slice| slice.load.faults()).collect();
        if self.cold.load.good != clients {
            void.push(format!("{} of {clients} clients got their one token", self.cold.load.good));
        }
        if self.slices().any(|slice| slice.load.generator_cores > FULL) {
            void.push("the generator's core was full".to_owned());
        }
        void
    }
}

fn us(slices: &[Slice]) -> f64 {
    let sums = slices.iter().fold((0.0, 0), |sums, one| (sums.0 + one.seconds, sums.1 + one.load.good));
    sums.0 * 1e6 / sums.1 as f64
}
