//! This file is where work that waits is run: commands on one thread, servers on as many as are configured.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::ending::Trouble;

/// Runs a command on this thread.
pub(super) fn on_one_thread<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    run(Builder::new_current_thread().enable_all().build(), work)
}

/// Runs a server on `workers` threads; 0 is one for each core.
pub(super) fn on_workers<T>(
    workers: usize,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let mut builder = Builder::new_multi_thread();
    if workers > 0 {
        builder.worker_threads(workers);
    }
    run(builder.enable_all().thread_name("gatepost").build(), work)
}

fn run<T>(
    runtime: std::io::Result<Runtime>,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let runtime = runtime.map_err(|error| Trouble::internal("runtime", error.to_string()))?;
    let outcome = runtime.block_on(work);
    // What still runs on a thread of its own, such as making a large key, is not worth waiting for.
    runtime.shutdown_timeout(Duration::ZERO);
    outcome
}
