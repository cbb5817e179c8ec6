//! This file is where the integration tests of this crate come together in one binary.

#![allow(clippy::unwrap_used, reason = "a test that meets a surprise must fail where it stands")]

mod cross_check;
mod differential;
mod expectations;
mod four_primes;
mod hostile_input;
mod key_files;
mod key_in_jti;
mod keyring;
mod mutations;
mod sets;
mod vectors;
mod verification;
