//! This file is where the tests of the edge come together in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod raw_http;
mod serving;
mod sockets;
mod tls_reload;
