//! This file is where benches reach the fair queue, which nobody else may: work comes in and is taken in turns.
//!
//! The feature `testing` alone builds it.

use std::time::Duration;

use gatepost_core::clients::ClientId;
use gatepost_core::partners::PartnerId;
use uuid::Uuid;

use super::cost::Cost;
use super::fair_queue::{Asker, FairQueue, Wanted};
use crate::config::Signing;

struct Asked;

impl Wanted for Asked {
    fn is_wanted(&self) -> bool {
        true
    }
}

/// So many times one comes in and one is taken, while each of these clients has one waiting; how many were taken.
pub fn rounds(clients: u32, rounds: u32) -> u32 {
    let mut queue = FairQueue::of(&Signing::default(), 2);
    let ids: Vec<(PartnerId, ClientId)> = (1..=clients)
        .map(|number| Uuid::from_u128(number.into()))
        .map(|uuid| (PartnerId(uuid), ClientId::from_uuid(uuid)))
        .collect();
    let cost = Cost::of_rsa(512, None);
    let (mut now, mut taken, mut shed) = (Duration::ZERO, 0_u32, Vec::new());
    for (partner, client) in &ids {
        let _ = queue.push(Asker { partner: *partner, client }, Asked, cost, now);
    }
    for (partner, client) in ids.iter().cycle().take(usize::try_from(rounds).unwrap_or(usize::MAX)) {
        now = now.saturating_add(Duration::from_micros(100));
        let _ = queue.push(Asker { partner: *partner, client }, Asked, cost, now);
        taken = taken.saturating_add(u32::from(queue.take(now, &mut shed).is_some()));
    }
    taken
}
