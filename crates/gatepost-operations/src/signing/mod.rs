//! This folder is where RSA signatures are made, off the async workers, so that a signature of some milliseconds
//! never makes another request wait for a worker.
//!
//! The idea: [`pool`] has as many threads as cores, and keys are parsed once and shared. [`fair_queue`] decides whose
//! signature is next, [`shed`] what has waited too long, [`pace`] how long a signature takes, and [`answers`]
//! when it leaves; they are pure, with time as an argument, so that [`simulation`] can hold them to their promises.
//! The limit: what has no place, or waits too long, is refused and may come back.
//! The price: one hand-over to a thread and back, some microseconds. Fast algorithms sign inline and pay nothing.

mod answers;
mod cost;
mod fair_queue;
mod pace;
mod pool;
#[cfg(feature = "testing")]
pub mod rounds;
mod shed;
#[cfg(test)]
mod simulation;

pub use fair_queue::Asker;
pub use pool::{NotSigned, Pool};
pub use shed::Shed;
pub(crate) use shed::whole_seconds;
