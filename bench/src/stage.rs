//! This file is where a server with many clients is made and asked, by a client drawn each time or by each once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::arguments::Arguments;
use crate::chance::Chance;
use crate::closed_loop::{self, Asker, Meanwhile};
use crate::connection::{Ask, fetch};
use crate::failure::{Failure, Outcome};
use crate::gatepost::{Credentials, Installation, Server};
use crate::load::Load;
use crate::processor::seconds_of;
use crate::seeded::{id_of, seed};
use crate::subject::Subject;
use crate::wire;

const CONNECTIONS: u64 = 64;
/// A server that works on for longer than this without being asked anything has failed.
const LONGEST: Duration = Duration::from_secs(600);
/// Below this use of a core, for so many seconds one after the other, a server is at rest; waiting for a disk is none.
const AT_REST: f64 = 0.1;
const QUIET: u32 = 3;
const LOOKUPS: &str = "gatepost_client_cache_lookups_total{outcome=";

/// A state with so many clients, all with one secret.
pub(crate) struct Stage {
    pub installation: Installation,
    client: Credentials,
    pub count: u64,
}

/// A slice of load and the processor seconds that it took.
pub(crate) struct Slice {
    pub load: Load,
    pub seconds: f64,
}

/// Look-ups of clients since the start, and those of them that read the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lookups {
    pub hits: f64,
    pub misses: f64,
}

impl Stage {
    /// Makes the clients, or finds them where an earlier run has left them.
    pub(crate) async fn prepare(arguments: &Arguments, count: u64) -> Outcome<Self> {
        let Some(kept) = &arguments.keep else {
            let installation = Installation::new(&arguments.gatepost)?;
            let client = made(&installation, count).await?;
            return Ok(Self { installation, client, count });
        };
        let folder = kept.join(format!("{count}-clients"));
        let installation = Installation::kept(&arguments.gatepost, &folder)?;
        let client = kept_or_made(&installation, &folder.join("client.json"), count).await?;
        Ok(Self { installation, client, count })
    }

    pub(crate) async fn slice(
        &self,
        server: &Server,
        askers: Vec<Asker>,
        window: Duration,
    ) -> Outcome<Slice> {
        let before = seconds_of(server.pid())?;
        let load = closed_loop::run_all(server.address, askers, window, Meanwhile::Sleep).await?;
        Ok(Slice { load, seconds: seconds_of(server.pid())? - before })
    }

    /// Askers that each draw a client for each request.
    pub(crate) fn drawn(&self, server: &Server, zipf: &Arc<Zipf>, seed: u64) -> Vec<Asker> {
        let (template, at) = self.template(server);
        let asker = |number: u64| -> Asker {
            let (template, zipf) = (template.clone(), Arc::clone(zipf));
            let mut chance = Chance::of(seed.wrapping_mul(CONNECTIONS).wrapping_add(number));
            Box::new(move |request| {
                write(request, &template, at, zipf.draw(&mut chance));
                true
            })
        };
        (0..CONNECTIONS).map(asker).collect()
    }

    /// Askers that together ask once for every client.
    pub(crate) fn each_once(&self, server: &Server) -> Vec<Asker> {
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

    /// A request of the template client, and where its id stands in it.
    fn template(&self, server: &Server) -> (Bytes, usize) {
        let request = wire::request(&Ask::token_of(&self.client), server.address);
        let id = self.client.client_id.as_bytes();
        let at = request.windows(id.len()).position(|window| window == id).unwrap_or_default();
        (request, at)
    }
}

async fn made(installation: &Installation, count: u64) -> Outcome<Credentials> {
    let client = installation.client_for(Subject::Eddsa, "crowd")?;
    seed(&installation.data(), &client, count).await?;
    Ok(client)
}

/// The first client of a kept store; its file is written when all others are there too.
async fn kept_or_made(installation: &Installation, file: &Path, count: u64) -> Outcome<Credentials> {
    let failed = |why: String| Failure::new(&file.display().to_string(), why);
    if let Ok(text) = fs::read(file) {
        return serde_json::from_slice(&text).map_err(|why| failed(why.to_string()));
    }
    let client = made(installation, count).await?;
    let text = serde_json::to_vec(&client).map_err(|why| failed(why.to_string()))?;
    fs::write(file, text).map_err(|why| failed(why.to_string()))?;
    Ok(client)
}

/// The request of the client of that number, over the last one.
fn write(request: &mut Vec<u8>, template: &Bytes, at: usize, number: u64) {
    if request.is_empty() {
        request.extend_from_slice(template);
    }
    let mut id = [0; 36];
    let id = id_of(number).hyphenated().encode_lower(&mut id);
    if let Some(place) = request.get_mut(at..at + id.len()) {
        place.copy_from_slice(id.as_bytes());
    }
}

/// Waits until a server that nobody asks has done what it does after its start; how long that took.
pub(crate) async fn at_rest(server: &Server) -> Outcome<Duration> {
    let (began, second) = (Instant::now(), Duration::from_secs(1));
    let (mut before, mut quiet) = (seconds_of(server.pid())?, 0);
    loop {
        tokio::time::sleep(second).await;
        let now = seconds_of(server.pid())?;
        quiet = if now - before < AT_REST { quiet + 1 } else { 0 };
        if quiet == QUIET {
            return Ok(began.elapsed().saturating_sub(second * QUIET));
        }
        if began.elapsed() > LONGEST {
            return Err(Failure::new("the server", "it does not come to rest after its start"));
        }
        before = now;
    }
}

/// What the server's own page of metrics says.
pub(crate) async fn lookups(server: &Server) -> Outcome<Lookups> {
    let page = fetch(server.admin, &Ask::Get("/metrics".to_owned())).await?;
    let found = Lookups::of(&String::from_utf8_lossy(&page));
    found.ok_or_else(|| Failure::new("/metrics", "it does not tell of the look-ups of clients"))
}

impl Lookups {
    fn of(page: &str) -> Option<Self> {
        let count = |outcome: &str| {
            let rest = page.lines().find_map(|line| line.strip_prefix(LOOKUPS)?.strip_prefix(outcome))?;
            rest.trim_start_matches('}').trim().parse().ok()
        };
        Some(Self { hits: count("\"hit\"")?, misses: count("\"miss\"")? })
    }

    /// The share of hits since then.
    pub(crate) fn hit_rate_since(self, then: Self) -> f64 {
        let (hits, misses) = (self.hits - then.hits, self.misses - then.misses);
        hits / (hits + misses)
    }
}

/// Ranks of which the k-th is asked for 1/k as often as the first.
pub(crate) struct Zipf(Vec<f64>);

impl Zipf {
    pub(crate) fn of(count: u64) -> Arc<Self> {
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

    #[test]
    fn the_hit_rate_is_of_what_was_looked_up_meanwhile() {
        let page = |hits, misses| {
            format!("# TYPE x counter\n{LOOKUPS}\"hit\"}} {hits}\n{LOOKUPS}\"miss\"}} {misses}\n")
        };
        let then = Lookups::of(&page(100, 100)).expect("both lines");
        let now = Lookups::of(&page(190, 110)).expect("both lines");
        assert!((now.hit_rate_since(then) - 0.9).abs() < 1e-9);
        assert_eq!(Lookups::of("gatepost_up 1"), None);
    }
}
