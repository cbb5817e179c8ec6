//! This file is where the store's promises are tested, each on every engine.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod engines;
mod postgres;
mod postgres_server;
mod samples;

mod access;
mod applying;
mod assertions;
mod cached;
mod chain;
mod conflicts;
mod crash;
mod crowd;
mod expiry;
mod gated;
mod key_lives;
mod limits;
mod opening;
mod opening_files;
mod opening_servers;
mod reading;
mod revocations;
mod upgrading;
mod usage;
