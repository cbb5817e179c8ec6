//! Conduct: each operation gathers facts from the store, lets core decide, and carries the decision out.
//!
//! The edges (HTTP, command line) call these operations and nothing below them. One file a noun; [`gate::Gate`] holds
//! what they share. Only `clock.rs` and `entropy.rs` touch the real time and real chance.

pub mod api_secrets;
pub mod apis;
pub mod authentication;
pub mod background;
pub mod client_jwks;
pub mod client_keys;
pub mod clients;
pub mod clock;
pub mod config;
pub mod data_folder;
mod decision;
pub mod discovery;
pub mod doctor;
pub mod entropy;
pub mod expiry;
pub mod failure;
pub mod gate;
pub mod journal;
pub mod key_ring;
pub mod keys;
pub mod limits;
pub mod master_key;
pub mod news;
pub mod partners;
pub mod revocations;
pub mod routes;
pub mod running;
pub mod secrets;
pub mod service;
pub mod setup;
pub mod signing;
pub mod status;
pub mod telemetry;
#[cfg(feature = "testing")]
mod testing;
pub mod tokens;
pub mod usage;
pub mod verification;

pub use gatepost_core as core;
pub use gatepost_jose as jose;
