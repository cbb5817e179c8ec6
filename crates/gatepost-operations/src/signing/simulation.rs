//! This file is where the promises of the queue are tried on simulated time: two threads, signatures of six
//! milliseconds, arrivals by seeded chance. Same seed, same figures.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use gatepost_core::clients::ClientId;

use super::fair_queue::{Cost, FairQueue, Places, Wanted};
use super::shed::Patience;

const THREADS: u32 = 2;
/// Nanoseconds of one signature.
const SIGNING: u64 = 6_000_000;
/// From an answer to the next question of the same connection.
const ROUND_TRIP: u64 = 5_000_000;
const SECOND: u64 = 1_000_000_000;
/// What is asked before is not counted.
const WARM_UP: u64 = 4 * SECOND;
/// The time that is counted, in seconds.
const WINDOW: u64 = 20;
/// Of RSA-4096.
const LONG_KEY: usize = 512;

/// How a client asks.
#[derive(Clone, Copy)]
enum Asks {
    /// By a Poisson process, this many for what all threads could sign together.
    Openly(f64),
    /// On that many connections, each again as soon as it was answered.
    OnConnections(u32),
}

/// What became of the questions of one client.
#[derive(Default)]
struct Outcome {
    /// From question to answer, in signing times.
    served: Vec<f64>,
    refused: usize,
}

fn percentile(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() * 99 / 100]
}

struct Question {
    client: usize,
    asked: u64,
}

impl Wanted for Question {
    fn is_wanted(&self) -> bool {
        true
    }
}

/// What happens next, earliest first; the number keeps the order of what happens at once.
type Event = Reverse<(u64, u64, What)>;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Asked(usize),
    Signed { client: usize, asked: u64 },
}

struct Simulation {
    queue: FairQueue<Question>,
    clients: Vec<(ClientId, Asks)>,
    outcomes: Vec<Outcome>,
    events: BinaryHeap<Event>,
    number: u64,
    idle: u32,
    chance: u64,
    until: u64,
}

/// The outcome for each client.
fn simulate(clients: &[Asks]) -> Vec<Outcome> {
    let named = |(index, asks): (usize, &Asks)| (ClientId::parse(&format!("client-{index}")).unwrap(), *asks);
    let mut simulation = Simulation {
        queue: FairQueue::new(
            Places { all: 256, per_client: 64 },
            Patience::new(Duration::from_millis(25), Duration::from_secs(2)),
        ),
        clients: clients.iter().enumerate().map(named).collect(),
        outcomes: clients.iter().map(|_| Outcome::default()).collect(),
        events: BinaryHeap::new(),
        number: 0,
        idle: THREADS,
        chance: 20_261_123,
        until: WARM_UP + WINDOW * SECOND,
    };
    simulation.run();
    simulation.outcomes
}

impl Simulation {
    fn run(&mut self) {
        for client in 0..self.clients.len() {
            let questions = match self.clients[client].1 {
                Asks::Openly(_) => 1,
                Asks::OnConnections(count) => count,
            };
            for _ in 0..questions {
                let start = self.wait(100.0);
                self.schedule(start, What::Asked(client));
            }
        }
        while let Some(Reverse((now, _, what))) = self.events.pop() {
            match what {
                What::Asked(client) => self.asked(client, now),
                What::Signed { client, asked } => {
                    self.idle += 1;
                    if asked >= WARM_UP {
                        self.outcomes[client].served.push((now - asked) as f64 / SIGNING as f64);
                    }
                    self.answered(client, now);
                }
            }
            self.take(now);
        }
    }

    fn asked(&mut self, client: usize, now: u64) {
        if let Asks::Openly(share) = self.clients[client].1 {
            let next = now + self.wait(share * f64::from(THREADS) * SECOND as f64 / SIGNING as f64);
            self.schedule(next, What::Asked(client));
        }
        let id = self.clients[client].0.clone();
        let question = Question { client, asked: now };
        let pushed = self.queue.push(&id, question, Cost::of_rsa(LONG_KEY, None), Duration::from_nanos(now));
        if let Err((question, _)) = pushed {
            self.refuse(&question, now);
        }
    }

    fn take(&mut self, now: u64) {
        while self.idle > 0 {
            let mut shed = Vec::new();
            let taken = self.queue.take(Duration::from_nanos(now), &mut shed);
            for (question, _) in shed {
                self.refuse(&question, now);
            }
            let Some(taken) = taken else { return };
            self.idle -= 1;
            let Question { client, asked } = taken.job;
            self.schedule(now + SIGNING, What::Signed { client, asked });
        }
    }

    fn refuse(&mut self, question: &Question, now: u64) {
        if question.asked >= WARM_UP {
            self.outcomes[question.client].refused += 1;
        }
        self.answered(question.client, now);
    }

    fn answered(&mut self, client: usize, now: u64) {
        if let Asks::OnConnections(_) = self.clients[client].1 {
            self.schedule(now + ROUND_TRIP, What::Asked(client));
        }
    }

    fn schedule(&mut self, at: u64, what: What) {
        if at < self.until || matches!(what, What::Signed { .. }) {
            self.number += 1;
            self.events.push(Reverse((at, self.number, what)));
        }
    }

    /// An exponentially distributed wait for something that happens that often a second.
    fn wait(&mut self, a_second: f64) -> u64 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        (-(1.0 - uniform).ln() / a_second * SECOND as f64) as u64
    }
}

/// Answers to all clients over the signatures that all threads can make.
fn served_over_capacity(outcomes: &[Outcome]) -> f64 {
    let served: usize = outcomes.iter().map(|outcome| outcome.served.len()).sum();
    served as f64 * SIGNING as f64 / (WINDOW * SECOND * u64::from(THREADS)) as f64
}

fn refused(outcomes: &[Outcome]) -> usize {
    outcomes.iter().map(|outcome| outcome.refused).sum()
}

/// The slowest percentile over all clients, in signing times.
fn p99(outcomes: &[Outcome]) -> f64 {
    let mut served: Vec<f64> = outcomes.iter().flat_map(|outcome| outcome.served.clone()).collect();
    percentile(&mut served)
}

#[test]
fn at_four_fifths_of_the_capacity_nobody_is_refused_and_waits_are_those_of_queueing_theory() {
    for clients in [vec![Asks::Openly(0.8)], vec![Asks::Openly(0.0008); 1_000]] {
        let outcomes = simulate(&clients);
        assert_eq!(refused(&outcomes), 0);
        assert!(p99(&outcomes) < 7.5, "p99 {}", p99(&outcomes));
    }
}

#[test]
fn at_twice_the_capacity_all_threads_sign_and_what_is_served_is_served_soon() {
    for (clients, soon) in [
        (vec![Asks::Openly(2.0)], 5.0),
        (vec![Asks::Openly(0.4); 5], 5.5),
        (vec![Asks::Openly(0.001); 2_000], 5.0),
    ] {
        let outcomes = simulate(&clients);
        let served = served_over_capacity(&outcomes);
        assert!(served > 0.98, "served {served}");
        assert!(p99(&outcomes) < soon, "{} clients: p99 {}", clients.len(), p99(&outcomes));
    }
}

#[test]
fn a_little_too_much_is_served_soon_too() {
    let outcomes = simulate(&[Asks::Openly(1.2)]);
    assert!(served_over_capacity(&outcomes) > 0.92);
    assert!(p99(&outcomes) < 6.0, "p99 {}", p99(&outcomes));
}

#[test]
fn a_light_client_beside_a_flood_is_never_refused_and_waits_for_little_but_a_free_thread() {
    for flood in [Asks::OnConnections(256), Asks::Openly(3.0)] {
        let outcomes = simulate(&[Asks::Openly(0.05), flood]);
        assert!(outcomes[1].refused > 1_000, "the flood is one");
        assert_eq!(outcomes[0].refused, 0);
        assert!(p99(&outcomes[..1]) < 3.0, "p99 {}", p99(&outcomes[..1]));
    }
}

#[test]
fn who_waits_for_the_answer_before_asking_again_is_never_refused() {
    for clients in [vec![Asks::OnConnections(64)], vec![Asks::OnConnections(1); 200]] {
        let outcomes = simulate(&clients);
        assert_eq!(refused(&outcomes), 0);
        assert!(served_over_capacity(&outcomes) > 0.98);
    }
}

#[test]
fn clients_that_all_ask_too_much_get_about_the_same() {
    let outcomes = simulate(&[Asks::Openly(0.5), Asks::Openly(1.0), Asks::Openly(3.0)]);
    let served = outcomes.iter().map(|outcome| outcome.served.len());
    let (least, most) = (served.clone().min().unwrap(), served.max().unwrap());
    assert!(most - least < least / 6, "{least} to {most}");
}
