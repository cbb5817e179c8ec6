//! This file is where the integration tests of this crate come together in one binary.
//!
//! The rows of `data/guard_mutations.json` are cases with their id: one at a time in the `rows_*` files, those about
//! key sets and time in `key_*`, `outage_rows` and `running_rows`; `coverage` counts them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets a surprise must fail where it stands"
)]

mod answers;
mod clock;
mod coverage;
mod feed;
mod flood;
mod jwks_server;
mod key_set_rows;
mod key_url_rows;
mod mint;
mod outage_rows;
mod rows;
mod rows_algorithm;
mod rows_claims;
mod rows_header;
mod rows_structure;
mod running_rows;
mod settings;
