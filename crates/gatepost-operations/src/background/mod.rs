//! This folder is where work goes on beside the requests, one file a task; a running server has all of them.

mod complaint;
pub mod expiry;
pub mod flush;
mod four_primes;
pub mod key_sets;
pub mod rotation;
pub mod sweeping;
pub mod warming;
pub mod watch;

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::gate::Gate;
use crate::usage;

/// All that goes on beside the requests of a running server.
#[must_use = "dropping it leaves the tasks without an end"]
pub struct Background {
    gate: Arc<Gate>,
    tasks: [JoinHandle<()>; 8],
}

impl Background {
    /// Begins all of it.
    pub fn start(gate: &Arc<Gate>) -> Self {
        let tasks = [
            watch::start,
            rotation::start,
            expiry::start,
            key_sets::start,
            warming::start,
            flush::start,
            sweeping::start,
            four_primes::start,
        ];
        let start = |task: fn(Arc<Gate>) -> JoinHandle<()>| task(Arc::clone(gate));
        Self { gate: Arc::clone(gate), tasks: tasks.map(start) }
    }

    /// Ends it when nothing is asked any more; what was counted is written down before, or the failure says why not.
    pub async fn end(self) -> Result<(), Failure> {
        // Before the tasks are cut off: what a write that is under way has in hand would be lost with it.
        let written = usage::flush(&self.gate).await;
        self.tasks.iter().for_each(JoinHandle::abort);
        written
    }
}
