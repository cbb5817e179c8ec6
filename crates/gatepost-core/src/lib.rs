//! The rules of Gatepost: what may be issued to whom, and what changes when an operator says so.
//!
//! Everything here is pure: no input or output, no clock, no randomness.
//! Time and random bytes come in as arguments, decisions go out as values: a grant, a [`refusal::Refusal`], a [`change::Change`].
//! One folder a noun; the same nouns name the files of every layer above.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub mod actor;
pub mod apis;
pub mod audit;
pub mod change;
pub mod clients;
pub mod grants;
mod ids;
pub mod issuer;
pub mod keys;
pub mod limits;
pub mod name;
pub mod params;
pub mod partners;
pub mod refusal;
pub mod scope;
pub mod secret;
pub mod time;
pub mod tokens;
pub mod usage;
