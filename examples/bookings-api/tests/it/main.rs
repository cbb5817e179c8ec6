//! This file is where the integration tests of this crate come together in one binary.

#![allow(clippy::unwrap_used, reason = "a test that meets a surprise must fail where it stands")]

mod api;
mod partners;
mod persistence;
