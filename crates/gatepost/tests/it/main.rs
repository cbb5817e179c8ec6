//! This file is where the tests of the real program and of the house rules come together.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod bench;
mod cli;
mod credentials;
mod dev;
mod doctor;
mod faults;
mod four_primes;
mod house;
mod http;
mod killed;
mod lifecycle;
mod limits;
#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "../../../gatepost-store/tests/it/postgres_server.rs"]
mod postgres_server;
mod program;
mod release;
mod scenarios;
mod secrets;
mod serving;
mod tokens;
