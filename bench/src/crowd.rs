//! This file is where a server with a million clients is set against one with a thousand.
//!
//! Both are asked in turns, each time by a client drawn by Zipf's law (exponent 1), as crowds ask. Then the large one is
//! started anew and every client asks once, so that each costs a read; the memory is read when all have asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use crate::arguments::{Arguments, Plan};
use crate::chance::Chance;
use crate::failure::Outcome;
use crate::gatepost::{Credentials, Installation, Server};
use crate::lean::{self, Asker, Load, rates};
use crate::over_hyper::token_request;
use crate::processor::{Placement, resident, seconds_of};
use crate::seeded::{id_of, seed};
use crate::statistics::Quartiles;
use crate::subject::Subject;

const FEW: u64 = 1_000;
const CONNECTIONS: u64 = 64;
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
    /// Of the asks at the large one, the share whose client had asked before.
    pub asked_before: f64,
    /// Tokens a second while every client asks once, from a cold start.
    pub cold: f64,
    /// Over the median of the small one.
    pub cold_ratio: f64,
    /// Processor microseconds a token: small, large, cold.
    pub processor_us: (f64, f64, f64),
    /// From exec to the ready line with all these clients.
    pub ready_ms: f64,
    /// At most, after every client has asked.
    pub most_resident_mb: f64,
    pub void: Vec<String>,
}

/// One server and its clients.
struct Stage {
    installation: Installation,
    client: Credentials,
    count: u64,
}

/// A slice of load and the processor seconds that it took.
struct Slice {
    load: Load,
    seconds: f64,
}

pub(crate) async fn measure(arguments: &Arguments, plan: &Plan) -> Outcome<Crowd> {
    let many = arguments.clients.unwrap_or(if arguments.quick { 20_000 } else { 1_000_000 });
    let small = Stage::prepare(arguments, FEW.min(many)).await?;
    let large = Stage::prepare(arguments, many).await?;
    Placement::Apart.take_generators_cores()?;
    let measured = both(&small, &large, arguments.seed, plan).await;
    Placement::Shared.take_generators_cores()?;
    measured
}

async fn both(small: &Stage, large: &Stage, seed: u64, plan: &Plan) -> Outcome<Crowd> {
    let servers = (small.installation.serve(Placement::Apart)?, large.installation.serve(Placement::Apart)?);
    let (crowds, again) = ((Zipf::of(small.count), Zipf::of(large.count)), Again::of(large.count));
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    small.slice(&servers.0, small.drawn(&servers.0, &crowds.0, seed, None), plan.warm_up).await?;
    large.slice(&servers.1, large.drawn(&servers.1, &crowds.1, seed, Some(&again)), plan.warm_up).await?;
    for number in 1..=u64::from(plan.slices) {
        let seed = seed.wrapping_add(number);
        let asks = small.drawn(&servers.0, &crowds.0, seed, None);
        of_few.push(small.slice(&servers.0, asks, plan.slice).await?);
        let asks = large.drawn(&servers.1, &crowds.1, seed, Some(&again));
        of_many.push(large.slice(&servers.1, asks, plan.slice).await?);
    }
    drop(servers);

    let began = Instant::now();
    let server = large.installation.serve(Placement::Apart)?;
    let ready_ms = began.elapsed().as_secs_f64() * 1e3;
    let cold = large.slice(&server, large.each_once(&server), LONGEST).await?;
    let (_, most_resident_mb) = resident(server.pid())?;
    Ok(Crowd { ready_ms, most_resident_mb, ..Crowd::of(small, large, (&of_few, &of_many, &cold), &again) })
}

impl Stage {
    async fn prepare(arguments: &Arguments, count: u64) -> Outcome<Self> {
        let installation = Installation::new(&arguments.gatepost)?;
        let client = installation.client_for(Subject::Eddsa, "crowd")?;
        seed(&installation.data(), &client, count).await?;
        Ok(Self { installation, client, count })
    }

    async fn slice(&self, server: &Server, askers: Vec<Asker>, window: Duration) -> Outcome<Slice> {
        let before = seconds_of(server.pid())?;
        let load = lean::run(server.address, askers, window).await?;
        Ok(Slice { load, seconds: seconds_of(server.pid())? - before })
    }

    /// A request of the template client, and where its id stands in it; the secret is everyone's.
    fn template(&self, server: &Server) -> (Bytes, usize) {
        let request = token_request(server.address, &self.client);
        let id = self.client.client_id.as_bytes();
        let at = request.windows(id.len()).position(|window| window == id).unwrap_or_default();
        (request, at)
    }

    fn drawn(&self, server: &Server, zipf: &Arc<Zipf>, seed: u64, again: Option<&Arc<Again>>) -> Vec<Asker> {
        let (template, at) = self.template(server);
        let asker = |number: u64| -> Asker {
            let (template, zipf, again) = (template.clone(), Arc::clone(zipf), again.cloned());
            let mut chance = Chance::of(seed.wrapping_mul(CONNECTIONS).wrapping_add(number));
            Box::new(move |request| {
                let rank = zipf.draw(&mut chance);
                if let Some(again) = &again {
                    again.note(rank);
                }
                write(request, &template, at, rank);
                true
            })
        };
        (0..CONNECTIONS).map(asker).collect()
    }

    fn each_once(&self, server: &Server) -> Vec<Asker> {
        let (template, at) = self.template(server);
        let asker = |first: u64| -> Asker {
            let (template, mut next, count) = (template.clone(), first, self.count);
            Box::new(move |request| {
                write(request, &template, at, next);
                next += CONNECTIONS;
                next < count + CONNECTIONS
            })
        };
        (0..CONNECTIONS.min(self.count)).map(asker).collect()
    }
}

/// The request of the client of that number, over the last one.
fn write(request: &mut Vec<u8>, template: &Bytes, at: usize, number: u64) {
    if request.is_empty() {
        request.extend_from_slice(template);
    }
    let id = id_of(number).hyphenated().to_string();
    if let Some(place) = request.get_mut(at..at + id.len()) {
        place.copy_from_slice(id.as_bytes());
    }
}

/// For a reader.
impl fmt::Display for Crowd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.in_words())
    }
}

impl Crowd {
    fn of(
        small: &Stage,
        large: &Stage,
        (of_few, of_many, cold): (&[Slice], &[Slice], &Slice),
        again: &Again,
    ) -> Self {
        let of_each = |slices: &[Slice]| slices.iter().map(|slice| slice.load.rate()).collect::<Vec<f64>>();
        let ratios: Vec<f64> =
            of_each(of_many).iter().zip(of_each(of_few)).map(|(many, few)| many / few).collect();
        let mut others = BTreeMap::<u16, u64>::new();
        for slice in of_few.iter().chain(of_many).chain([cold]) {
            slice.load.others.iter().for_each(|(status, count)| *others.entry(*status).or_default() += count);
        }
        let mut void: Vec<String> =
            others.iter().map(|(status, count)| format!("{count} answers were {status}")).collect();
        if cold.load.good != large.count {
            void.push(format!("{} of {} clients got their one token", cold.load.good, large.count));
        }
        Self {
            few: small.count,
            many: large.count,
            ratio: Quartiles::of(&ratios),
            cold: cold.load.rate(),
            cold_ratio: cold.load.rate() / Quartiles::of(&of_each(of_few)).median,
            processor_us: (us(of_few), us(of_many), us(std::slice::from_ref(cold))),
            of_few: of_each(of_few),
            of_many: of_each(of_many),
            asked_before: again.share(),
            ready_ms: 0.0,
            most_resident_mb: 0.0,
            void,
        }
    }

    fn in_words(&self) -> String {
        let mut lines = vec![
            format!(
                "{} clients against {}, EdDSA, Zipf 1.0, server on core 0: {:.3}  (quartiles {:.3} to {:.3})",
                self.many, self.few, self.ratio.median, self.ratio.lower, self.ratio.upper
            ),
            rates("few         /s", &self.of_few),
            rates("many        /s", &self.of_many),
            format!(
                "  of the many's asks {:.1} % were by clients that had asked before",
                self.asked_before * 100.0
            ),
            format!("  each of the many once, cold: {:.0}/s, so {:.3}", self.cold, self.cold_ratio),
            format!(
                "  processor us a token: few {:.1}, many {:.1}, cold {:.1}",
                self.processor_us.0, self.processor_us.1, self.processor_us.2
            ),
            format!(
                "  ready after {:.0} ms; at most {:.1} MB resident",
                self.ready_ms, self.most_resident_mb
            ),
        ];
        lines.extend(self.void.iter().map(|why| format!("  VOID: {why}")));
        lines.join("\n")
    }
}

fn us(slices: &[Slice]) -> f64 {
    let sums = slices.iter().fold((0.0, 0), |sums, one| (sums.0 + one.seconds, sums.1 + one.load.good));
    sums.0 * 1e6 / sums.1 as f64
}

/// Ranks of which the k-th is asked for 1/k as often as the first.
struct Zipf(Vec<f64>);

impl Zipf {
    fn of(count: u64) -> Arc<Self> {
        let sums = (1..=count).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Arc::new(Self(sums.collect()))
    }

    fn draw(&self, chance: &mut Chance) -> u64 {
        let whole = self.0.last().copied().unwrap_or_default();
        let drawn = chance.below_one() * whole;
        self.0.partition_point(|sum| *sum < drawn) as u64
    }
}

/// Who has asked, and how often somebody asked who had.
struct Again {
    asked: Vec<AtomicBool>,
    asks: AtomicU64,
    again: AtomicU64,
}

impl Again {
    fn of(count: u64) -> Arc<Self> {
        let asked = (0..count).map(|_| AtomicBool::new(false)).collect();
        Arc::new(Self { asked, asks: AtomicU64::new(0), again: AtomicU64::new(0) })
    }

    fn note(&self, rank: u64) {
        let asked = usize::try_from(rank).ok().and_then(|rank| self.asked.get(rank));
        let before = asked.is_some_and(|asked| asked.swap(true, Ordering::Relaxed));
        self.asks.fetch_add(1, Ordering::Relaxed);
        self.again.fetch_add(u64::from(before), Ordering::Relaxed);
    }

    fn share(&self) -> f64 {
        self.again.load(Ordering::Relaxed) as f64 / self.asks.load(Ordering::Relaxed) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_drawn_half_as_often_as_the_first() {
        let (zipf, mut chance, mut drawn) = (Zipf::of(1_000), Chance::of(1), [0_u32; 1_000]);
        for _ in 0..100_000 {
            drawn[usize::try_from(zipf.draw(&mut chance)).expect("small")] += 1;
        }
        let ratio = f64::from(drawn[1]) / f64::from(drawn[0]);
        assert!((0.45..0.55).contains(&ratio), "{ratio}");
        assert!(drawn[999] < drawn[0] / 100);
    }

    #[test]
    fn a_request_names_the_client_of_its_number() {
        let (mut request, template) = (Vec::new(), Bytes::from(format!("<{}>", id_of(0).hyphenated())));
        write(&mut request, &template, 1, 7);
        assert_eq!(request, format!("<{}>", id_of(7).hyphenated()).into_bytes());
    }
}
