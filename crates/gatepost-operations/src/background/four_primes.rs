//! This file is where a server says at its start whether its keys of four primes are worth their price here.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::gate::Gate;
use crate::keys::four_primes::{Pace, measure};

/// Times the keys of four primes that sign, once, and says in the log what came out.
pub(super) fn start(gate: Arc<Gate>) -> JoinHandle<()> {
    tokio::spawn(async move {
        match measure(&gate).await {
            Ok(paces) => paces.iter().for_each(tell),
            Err(failure) => tracing::warn!(why = %failure, "the keys of four primes could not be timed"),
        }
    })
}

fn tell(pace: &Pace) {
    if pace.is_slow() {
        tracing::warn!(kid = pace.kid, why = pace.why(), fix = pace.fix(), "{}", pace.what());
    } else {
        tracing::info!(kid = pace.kid, "{}", pace.what());
    }
}
