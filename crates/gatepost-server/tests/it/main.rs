//! This file is where the integration tests of this crate come together in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod algorithms;
mod alike;
mod asking;
mod assertions;
mod cast;
mod crowds;
mod deletion;
mod discovery;
mod exchanges;
mod feed;
mod forged;
mod forward_auth;
#[cfg(feature = "multi-prime")]
mod four_primes;
mod guard_rows;
mod hanging_up;
mod harness;
mod hostile;
mod hostile_apis;
mod hostile_cases;
mod introspection;
mod limits;
mod listening;
mod metrics;
mod mutilated;
mod order_of_checks;
mod raw_http;
mod reply;
mod request_bodies;
mod request_lines;
mod resource_server;
mod revocation;
mod rolls;
mod rotation;
mod rows;
mod serving;
mod silence;
mod sockets;
mod thousand;
mod tls_reload;
mod wire;
