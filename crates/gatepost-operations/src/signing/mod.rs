//! This folder is where RSA signatures are made, off the async workers, so that a signature of six milliseconds never
//! makes another request wait for a worker.
//!
//! The idea: as many threads as cores, keys parsed once and shared, one bounded queue.
//! The limit: what does not fit into the queue, or waited past its deadline, is refused at once and may come back.
//! The price: one hand-over to a thread and back, some microseconds. Fast algorithms sign inline and pay nothing.

mod pool;

pub use pool::{NotSigned, Pool};
