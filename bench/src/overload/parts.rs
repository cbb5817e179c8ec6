//! This file is where the parts of a round become its figures, each part told in the capacity and the signing time
//! around it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::open_loop::Answers;
use crate::statistics::Latency;

/// What is answered later than this came too late to count as served.
const IN_TIME: Duration = Duration::from_secs(1);

/// One round, each of its parts in its own capacity and signing time.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    /// The mean over the parts, like the signing time.
    pub capacity: f64,
    pub signing_ms: f64,
    /// Of the 200s that came in time, from when they were due.
    pub latency_ms: Latency,
    pub p99_in_signing_times: f64,
    /// What threads that sign and do nothing else give at the same share of what they can; where it was measured.
    pub floor_in_signing_times: Option<f64>,
    /// Of the 503s.
    pub refusal_ms: Latency,
    /// 200s in time, over what the capacity would have been in that time.
    pub served_over_capacity: f64,
    /// How late the generator sent.
    pub late_ms: Latency,
    pub generator_share: f64,
}

impl fmt::Display for Round {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "capacity {:.0}/s, one signature {:.2} ms; p50 {:.2} ms, p99 {:.2} ms ({:.1} signing times) of {}; \
             served {:.3}; refused in p99 {:.2} ms; sent late p99 {:.2} ms, generator {:.1} % of the machine",
            self.capacity,
            self.signing_ms,
            self.latency_ms.p50,
            self.latency_ms.p99,
            self.p99_in_signing_times,
            self.latency_ms.samples,
            self.served_over_capacity,
            self.refusal_ms.p99,
            self.late_ms.p99,
            self.generator_share * 100.0
        )?;
        let floor = self.floor_in_signing_times;
        floor.iter().try_for_each(|floor| write!(out, "; signing alone p99 {floor:.1} signing times"))
    }
}

/// What the machine and the server can do at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ability {
    pub signing_ms: f64,
    pub capacity: f64,
}

/// What came of the parts of one round.
#[derive(Default)]
pub(super) struct Parts {
    abilities: Vec<Ability>,
    latencies: Vec<f64>,
    in_signing_times: Vec<f64>,
    floor: Vec<f64>,
    pub refused: Vec<f64>,
    late: Vec<f64>,
    possible: f64,
    generator_share: f64,
    pub bodies: Vec<Bytes>,
    pub others: BTreeMap<u16, u64>,
}

impl Ability {
    pub(super) fn mean(self, other: Self) -> Self {
        Self {
            signing_ms: (self.signing_ms + other.signing_ms) / 2.0,
            capacity: (self.capacity + other.capacity) / 2.0,
        }
    }
}

impl Parts {
    pub(super) fn take(&mut self, answers: Answers, ability: Ability, window: Duration) {
        for (body, milliseconds) in answers.served {
            self.bodies.push(body);
            // What came later than this is not served.
            if milliseconds <= IN_TIME.as_secs_f64() * 1e3 {
                self.latencies.push(milliseconds);
                self.in_signing_times.push(milliseconds / ability.signing_ms);
            }
        }
        self.refused.extend(answers.refused);
        self.late.extend(answers.late);
        for (status, count) in answers.others {
            *self.others.entry(status).or_default() += count;
        }
        self.possible += ability.capacity * window.as_secs_f64();
        self.generator_share = self.generator_share.max(answers.generator_share);
        self.abilities.push(ability);
    }

    /// How long signing alone took at such a load, in milliseconds.
    pub(super) fn take_floor(&mut self, latencies: &[f64], ability: Ability) {
        self.floor.extend(latencies.iter().map(|milliseconds| milliseconds / ability.signing_ms));
    }

    pub(super) fn round(&self) -> Round {
        let mean = |figure: fn(&Ability) -> f64| {
            self.abilities.iter().map(figure).sum::<f64>() / self.abilities.len() as f64
        };
        Round {
            capacity: mean(|ability| ability.capacity),
            signing_ms: mean(|ability| ability.signing_ms),
            latency_ms: Latency::of(&self.latencies),
            p99_in_signing_times: Latency::of(&self.in_signing_times).p99,
            floor_in_signing_times: (!self.floor.is_empty()).then(|| Latency::of(&self.floor).p99),
            refusal_ms: Latency::of(&self.refused),
            served_over_capacity: self.latencies.len() as f64 / self.possible,
            late_ms: Latency::of(&self.late),
            generator_share: self.generator_share,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn answers(latencies: &[f64]) -> Answers {
        Answers { served: latencies.iter().map(|one| (Bytes::new(), *one)).collect(), ..Answers::default() }
    }

    pub(in super::super) fn parts(latency: f64, signing_ms: f64) -> Parts {
        let mut parts = Parts::default();
        parts.take(answers(&[latency; 90]), Ability { signing_ms, capacity: 100.0 }, Duration::from_secs(1));
        parts
    }

    #[test]
    fn each_part_is_told_in_the_signing_time_around_it_and_too_late_is_not_served() {
        let mut parts = parts(10.0, 2.0);
        let ability =
            Ability { signing_ms: 2.0, capacity: 50.0 }.mean(Ability { signing_ms: 6.0, capacity: 150.0 });
        parts.take(answers(&[20.0, 1_001.0]), ability, Duration::from_secs(1));
        let round = parts.round();
        assert!((round.p99_in_signing_times - 5.0).abs() < 1e-9, "{}", round.p99_in_signing_times);
        assert!((round.served_over_capacity - 91.0 / 200.0).abs() < 1e-9);
        assert!((round.signing_ms - 3.0).abs() < 1e-9);
    }
}
