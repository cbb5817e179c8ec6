//! This file is where clients ask and threads sign in simulated time.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;
use uuid::Uuid;

use crate::config::Signing;
use crate::signing::cost::Cost;
use crate::signing::fair_queue::{Asker, FairQueue, Wanted};

pub(super) const THREADS: u32 = 2;
/// A long signature in ticks of the clock.
const TICKS: u64 = 1_000_000;
/// From an answer to the next question of the same connection.
const ROUND_TRIP: u64 = TICKS / 2;

/// A machine, and what of its time is looked at.
#[derive(Clone, Copy)]
pub(super) struct World {
    /// Microseconds of a long signature.
    pub signing_us: u64,
    /// What is asked before is not counted, in long signatures.
    pub warm_up: u32,
    /// The time that is counted, in long signatures.
    pub window: u32,
    /// In the middle of it no thread signs for so many microseconds.
    pub stall: Option<u64>,
    /// From that middle on, signatures take so many times as long for so many microseconds.
    pub slowed: Option<(f64, u64)>,
}

/// How a client asks.
#[derive(Clone, Copy)]
pub(super) enum Asks {
    /// By a Poisson process, for this part of what all threads can sign together.
    Openly(f64),
    /// On that many connections, each again as soon as it was answered.
    OnConnections(u32),
}

/// A client and its key.
#[derive(Clone, Copy)]
pub(super) struct Client {
    asks: Asks,
    key_bytes: usize,
    signing: u64,
    /// Its number; who has none is alone in its partner.
    partner: Option<u32>,
    /// The client whose line it uses, if that is not its own.
    shares: Option<usize>,
    /// For how many ticks it waits before it hangs up.
    patience: u64,
}

impl Client {
    pub(super) fn long(asks: Asks) -> Self {
        Self { asks, key_bytes: 512, signing: TICKS, partner: None, shares: None, patience: u64::MAX }
    }

    pub(super) fn short(asks: Asks) -> Self {
        Self { key_bytes: 256, signing: TICKS / 8, ..Self::long(asks) }
    }

    pub(super) fn of(self, partner: u32) -> Self {
        Self { partner: Some(partner), ..self }
    }

    /// It hangs up after so many long signatures.
    pub(super) fn hangs_up_after(self, signatures: u64) -> Self {
        Self { patience: signatures * TICKS, ..self }
    }

    /// It asks as the client of that number.
    pub(super) fn asks_as(self, client: usize) -> Self {
        Self { shares: Some(client), ..self }
    }
}

/// What became of the questions of one client.
#[derive(Default)]
pub(super) struct Outcome {
    /// From question to answer.
    pub served: Vec<f64>,
    /// What its signatures took, in long ones.
    pub work: f64,
    pub refused: usize,
}

struct Question {
    client: usize,
    asked: u64,
    until: u64,
    clock: Rc<Cell<u64>>,
}

impl Wanted for Question {
    fn is_wanted(&self) -> bool {
        self.clock.get() < self.until
    }
}

/// What happens next, earliest first; the number keeps the order of what happens at once.
type Event = Reverse<(u64, u64, What)>;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Left,
    Asked(usize),
    Signed { client: usize, asked: u64, began: u64 },
    Awake,
}

struct Simulation {
    world: World,
    clock: Rc<Cell<u64>>,
    queue: FairQueue<Question>,
    clients: Vec<(PartnerId, ClientId, Client)>,
    outcomes: Vec<Outcome>,
    events: BinaryHeap<Event>,
    number: u64,
    idle: u32,
    chance: u64,
    /// While it lasts no thread signs.
    stalled: Option<(u64, u64)>,
    /// While it lasts signatures take so many times as long.
    slowed: Option<(f64, u64, u64)>,
}

/// The outcome for each client, with the bounds as shipped.
pub(super) fn simulate(world: World, clients: &[Client]) -> Vec<Outcome> {
    let named = |(index, one): (usize, &Client)| {
        let partner = one.partner.map_or(index as u128, |number| u128::MAX - u128::from(number));
        let client = ClientId::parse(&format!("client-{}", one.shares.unwrap_or(index))).unwrap();
        (PartnerId(Uuid::from_u128(partner)), client, *one)
    };
    let middle = (u64::from(world.warm_up) + u64::from(world.window) / 2) * TICKS;
    let mut simulation = Simulation {
        world,
        clock: Rc::default(),
        queue: FairQueue::of(&Signing::default(), THREADS as usize),
        clients: clients.iter().enumerate().map(named).collect(),
        outcomes: clients.iter().map(|_| Outcome::default()).collect(),
        events: BinaryHeap::new(),
        number: 0,
        idle: THREADS,
        chance: 20_261_123,
        stalled: world.stall.map(|us| (middle, middle + us * TICKS / world.signing_us)),
        slowed: world.slowed.map(|(times, us)| (times, middle, middle + us * TICKS / world.signing_us)),
    };
    simulation.run();
    simulation.outcomes
}

impl Simulation {
    fn run(&mut self) {
        if let Some((_, end)) = self.stalled {
            self.schedule(end, What::Awake);
        }
        for client in 0..self.clients.len() {
            match self.clients[client].2.asks {
                Asks::Openly(_) => self.asks_next(client, 0),
                Asks::OnConnections(count) => {
                    for _ in 0..count {
                        let start = self.wait(0.2);
                        self.schedule(start, What::Asked(client));
                    }
                }
            }
        }
        while let Some(Reverse((now, _, what))) = self.events.pop() {
            self.clock.set(now);
            match what {
                What::Left => self.queue.callers_gone(1),
                What::Asked(client) => self.asked(client, now),
                What::Signed { client, asked, began } => self.signed(client, (asked, began), now),
                What::Awake => {}
            }
            self.take(now);
        }
    }

    fn asked(&mut self, index: usize, now: u64) {
        let (partner, id, client) = self.clients[index].clone();
        self.asks_next(index, now);
        let until = now.saturating_add(client.patience);
        self.schedule(until, What::Left);
        let question = Question { client: index, asked: now, until, clock: Rc::clone(&self.clock) };
        let cost = Cost::of_rsa(client.key_bytes, None);
        if let Err((question, _)) =
            self.queue.push(Asker { partner, client: &id }, question, cost, self.time(now))
        {
            self.refuse(&question, now);
        }
    }

    fn asks_next(&mut self, index: usize, now: u64) {
        let client = self.clients[index].2;
        if let Asks::Openly(share) = client.asks {
            let next = now + self.wait(share * f64::from(THREADS) * TICKS as f64 / client.signing as f64);
            self.schedule(next, What::Asked(index));
        }
    }

    fn signed(&mut self, client: usize, (asked, began): (u64, u64), now: u64) {
        self.idle += 1;
        self.queue.signed(self.time(now - began));
        if self.counts(asked) {
            let outcome = &mut self.outcomes[client];
            outcome.served.push((now - asked) as f64 / TICKS as f64);
            outcome.work += self.clients[client].2.signing as f64 / TICKS as f64;
        }
        self.answered(client, now);
    }

    fn take(&mut self, now: u64) {
        if self.stalled.is_some_and(|(start, end)| (start..end).contains(&now)) {
            return;
        }
        while self.idle > 0 {
            let mut shed = Vec::new();
            let taken = self.queue.take(self.time(now), &mut shed);
            for (question, _) in shed {
                self.refuse(&question, now);
            }
            let Some(taken) = taken else { return };
            self.idle -= 1;
            let Question { client, asked, .. } = taken.job;
            let end = now + self.signing(client, now);
            self.schedule(end, What::Signed { client, asked, began: now });
        }
    }

    /// How long a signature takes that begins now.
    fn signing(&self, client: usize, now: u64) -> u64 {
        let signing = self.clients[client].2.signing;
        match self.slowed {
            Some((times, start, end)) if (start..end).contains(&now) => (signing as f64 * times) as u64,
            Some(_) | None => signing,
        }
    }

    fn refuse(&mut self, question: &Question, now: u64) {
        if self.counts(question.asked) {
            self.outcomes[question.client].refused += 1;
        }
        self.answered(question.client, now);
    }

    fn answered(&mut self, client: usize, now: u64) {
        if let Asks::OnConnections(_) = self.clients[client].2.asks {
            self.schedule(now + ROUND_TRIP, What::Asked(client));
        }
    }

    fn counts(&self, asked: u64) -> bool {
        asked >= u64::from(self.world.warm_up) * TICKS
    }

    fn time(&self, ticks: u64) -> Duration {
        Duration::from_nanos(ticks * self.world.signing_us * 1_000 / TICKS)
    }

    fn schedule(&mut self, at: u64, what: What) {
        let until = u64::from(self.world.warm_up + self.world.window) * TICKS;
        if at < until || matches!(what, What::Signed { .. }) {
            self.number += 1;
            self.events.push(Reverse((at, self.number, what)));
        }
    }

    /// An exponentially distributed wait for something that happens that often in the time of a long signature.
    fn wait(&mut self, often: f64) -> u64 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        (-(1.0 - uniform).ln() / often * TICKS as f64) as u64
    }
}
