//! This file is where tokens a second are set against raw signatures a second, slice by slice.
//!
//! Raw signing and the server alternate (A B A B …), so that whatever slows the machine slows both; each pair
//! gives a ratio, and the figure is the ratios' median. While the server works, /livez is asked by its own
//! thread. Where the generator takes more than 3 % of the machine, the figure is measured again with the server
//! and raw signing on one core and the generator on another; /livez is not asked there, for who asks would wait behind
//! the generator.

mod row;

use std::path::Path;

use crate::arguments::Plan;
use crate::closed_loop;
use crate::connection::{Ask, fetch};
use crate::failure::{Failure, Outcome};
use crate::gatepost::{Credentials, Installation, Server};
use crate::load::{FULL, Load};
use crate::prober::Prober;
use crate::processor::{Placement, cores, parted};
use crate::raw::Raw;
use crate::statistics::{Latency, Quartiles};
use crate::stored::Figures;
use crate::subject::Subject;
use crate::tokens::{Key, Tokens, signed_length};
pub use row::Row;
pub(crate) use row::figures;

/// Above this share of the machine the generator takes from what it measures.
const LIGHT: f64 = 0.03;

/// What all figures share.
pub(crate) struct Bench<'a> {
    installation: &'a Installation,
    plan: &'a Plan,
    figures: Option<Figures>,
    tell: &'a dyn Fn(&str),
}

/// An algorithm and the client whose tokens are signed so.
struct Target {
    subject: Subject,
    client: Credentials,
}

/// One algorithm on a running server.
struct Course {
    subject: Subject,
    placement: Placement,
    server: Server,
    ask: Ask,
    raw: Raw,
    api: String,
}

/// The slices of one figure.
#[derive(Default)]
struct Slices {
    raw: Vec<f64>,
    served: Vec<f64>,
    latencies: Vec<f64>,
    livez: Vec<f64>,
    generator_share: f64,
    void: Vec<String>,
}

impl<'a> Bench<'a> {
    /// `figures` is where the best raw figures are kept, if anywhere; `tell` hears of each slice, so that whoever waits
    /// sees that it goes on.
    pub(crate) fn new(
        installation: &'a Installation,
        plan: &'a Plan,
        figures: Option<&Path>,
        tell: &'a dyn Fn(&str),
    ) -> Self {
        Self { installation, plan, figures: figures.map(Figures::open), tell }
    }

    /// Every number of connections with all cores for everybody, then again apart where the generator was heavy.
    pub(crate) async fn measure(
        &mut self,
        subject: Subject,
        connections: &[u16],
        mut each: impl FnMut(Row) -> Outcome<()>,
    ) -> Outcome<()> {
        let target = Target { subject, client: self.installation.client_of(subject)? };
        let heavy = self.course(&target, Placement::Shared, connections, &mut each).await?;
        if heavy.is_empty() || parted().is_err() {
            return Ok(());
        }
        Placement::Apart.take_generators_cores()?;
        let done = self.course(&target, Placement::Apart, &heavy, &mut each).await;
        Placement::Shared.take_generators_cores()?;
        done.map(|_| ())
    }

    /// Measures in this placement; gives the numbers of connections at which the generator was heavy.
    async fn course(
        &mut self,
        target: &Target,
        placement: Placement,
        connections: &[u16],
        each: &mut impl FnMut(Row) -> Outcome<()>,
    ) -> Outcome<Vec<u16>> {
        let mut course = self.prepare(target, placement).await?;
        let mut heavy = Vec::new();
        for &count in connections {
            let row = self.row(&mut course, count).await?;
            if row.generator_share > LIGHT {
                heavy.push(count);
            }
            each(row)?;
        }
        Ok(heavy)
    }

    /// A server on its cores, warm, and raw signing of just as many bytes.
    async fn prepare(&self, target: &Target, placement: Placement) -> Outcome<Course> {
        let Target { subject, client } = target;
        let server = self.installation.serve(placement)?;
        let ask = Ask::token_of(client);
        let first = fetch(server.address, &ask).await?;
        let raw =
            Raw::new(*subject, signed_length(&first)?, self.installation.folder(), self.plan.own_words)?;
        closed_loop::run(server.address, &ask, 4, self.plan.warm_up).await?;
        raw.slice(placement, self.plan.warm_up)?;
        Ok(Course { subject: *subject, placement, server, ask, raw, api: client.api.clone() })
    }

    async fn row(&mut self, course: &mut Course, connections: u16) -> Outcome<Row> {
        let keys = Ask::Get(format!("/.well-known/jwks/{}.json", course.api));
        let mut tokens = Tokens::new(Key::of_document(&fetch(course.server.address, &keys).await?)?);
        let mut slices = Slices::default();
        for number in 1..=self.plan.slices {
            let signed = course.raw.slice(course.placement, self.plan.slice)?;
            slices.raw.push(signed);
            let prober = course.prober();
            let slice =
                closed_loop::run(course.server.address, &course.ask, connections, self.plan.slice).await;
            let livez = prober.map(Prober::finish);
            if let Some(status) = course.server.ended() {
                return Err(Failure::new("the server ended under load", status));
            }
            slices.livez.extend(livez.transpose()?.unwrap_or_default());
            let slice = slice?;
            tokens.take(&slice)?;
            slices.take(&slice);
            (self.tell)(&format!(
                "slice {number} of {}: signing alone {signed:.0}/s, tokens {:.0}/s",
                self.plan.slices,
                slice.rate()
            ));
        }
        slices.judge(&tokens);
        if let Some(figures) = &mut self.figures {
            let raw = Quartiles::of(&slices.raw).median;
            slices.void.extend(figures.judge(course.subject, course.placement, raw)?);
        }
        Ok(slices.row(course, connections, &tokens))
    }
}

impl Course {
    fn prober(&self) -> Option<Prober> {
        match self.placement {
            Placement::Shared => Some(Prober::start(self.server.address)),
            Placement::Apart => None,
        }
    }
}

impl Slices {
    fn take(&mut self, slice: &Load) {
        self.served.push(slice.rate());
        self.latencies.extend(&slice.latencies);
        self.generator_share = self.generator_share.max(slice.generator_share());
        self.void.extend(slice.faults());
    }

    fn judge(&mut self, tokens: &Tokens) {
        if tokens.distinct() != tokens.count {
            self.void.push(format!("{} tokens share a jti with another", tokens.count - tokens.distinct()));
        }
        if tokens.count == 0 {
            self.void.push("no token was served".to_owned());
        }
    }

    fn row(mut self, course: &Course, connections: u16, tokens: &Tokens) -> Row {
        self.void.extend(generators_part(course.placement, self.generator_share));
        let ratios: Vec<f64> = self.served.iter().zip(&self.raw).map(|(served, raw)| served / raw).collect();
        let raw_quartiles = Quartiles::of(&self.raw);
        let ratio_quartiles = (connections > 1).then(|| Quartiles::of(&ratios));
        let signing_ms = course.placement.cores() as f64 / raw_quartiles.median * 1e3;
        let latency_ms = Latency::of(&self.latencies);
        let ratio = ratio_quartiles.map(|quartiles| quartiles.median);
        self.void.extend(ratio.and_then(above_the_limit));
        Row {
            algorithm: course.subject,
            placement: course.placement,
            connections,
            raw_quartiles,
            served_quartiles: Quartiles::of(&self.served),
            raw: self.raw,
            served: self.served,
            ratio,
            ratio_quartiles,
            latency_ms,
            signing_times: latency_ms.p50 / signing_ms,
            livez_ms: (!self.livez.is_empty()).then(|| Latency::of(&self.livez)),
            tokens: tokens.count,
            distinct_jti: tokens.distinct(),
            verified: tokens.verified,
            generator_share: self.generator_share,
            void: self.void,
        }
    }
}

/// Why so many times what signing alone gives is noise; if it is.
pub(crate) fn above_the_limit(ratio: f64) -> Option<String> {
    (ratio > 1.0).then(|| {
        format!(
            "{ratio:.3} of signing alone is noise: nothing signs more, so the machine was slower in those turns; \
             measure again when it is quiet"
        )
    })
}

/// Why the generator, and not the server, made the figure; if it did.
fn generators_part(placement: Placement, share: f64) -> Option<String> {
    match placement {
        Placement::Shared if share <= LIGHT => None,
        Placement::Shared => {
            let stays = parted().err().map(|why| format!(", and can't be kept off the server's core: {why}"));
            let took = format!("the generator took {:.1} % of the machine", share * 100.0);
            Some(took + &stays.unwrap_or_default())
        }
        Placement::Apart => {
            let of_its_core = share * cores() as f64;
            (of_its_core > FULL)
                .then(|| format!("the generator's own core was {:.0} % busy", of_its_core * 100.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_generator_voids_the_figure_it_shares_the_cores_with() {
        assert_eq!(generators_part(Placement::Shared, 0.02), None);
        assert!(generators_part(Placement::Shared, 0.04).is_some());
        assert_eq!(generators_part(Placement::Apart, 0.5 / cores() as f64), None);
        assert!(generators_part(Placement::Apart, 0.99 / cores() as f64).is_some());
    }

    #[test]
    fn more_tokens_than_signatures_alone_are_noise_and_no_figure() {
        assert_eq!((above_the_limit(0.97), above_the_limit(1.0)), (None, None));
        assert!(above_the_limit(1.04).is_some_and(|why| why.contains("1.040") && why.contains("noise")));
    }
}
