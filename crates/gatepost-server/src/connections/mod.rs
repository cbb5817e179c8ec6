//! This folder is where bytes become requests: addresses are listened at, connections accepted, timed, and let go.
//!
//! `listen.rs` accepts, `roster.rs` says who may stay, `connection.rs` serves one of them: its bytes pass the
//! `head_filter.rs` before hyper reads them. Each request goes to the [`layers`](crate::layers); nothing of what it
//! asks is known here.

mod certificate;
mod chunks;
mod connection;
pub(crate) mod files;
pub(crate) mod head;
mod head_filter;
pub mod listen;
mod progress;
mod roster;
pub mod tls;
