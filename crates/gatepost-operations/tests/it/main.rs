//! This file is where operations are tried over a real store in a temporary folder, with a clock that tests move.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may fail loudly"
)]

mod client_keys;
mod doctor;
mod expiry;
mod folder;
mod four_primes;
mod in_flight;
mod keys;
mod offline;
#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "../../../gatepost-store/tests/it/postgres_server.rs"]
mod postgres_server;
mod revocations;
mod scopes;
mod secrets;
mod stage;
mod usage;
