//! This crate is where an API is protected with tokens that Gatepost issued: a tower layer and an axum extractor.
//!
//! A call with a token that was seen before costs a hash and a look-up, another one a signature check; neither needs
//! the network. Keys come from a [`KeySource`] and stay usable while the issuer is away.
//!
//! ```
//! use axum::{Json, Router, routing::get};
//! use gatepost_guard::{Caller, Guard, JwksUrl, require};
//!
//! # fn main() -> Result<(), gatepost_guard::ConfigError> {
//! let guard = Guard::builder()
//!     .rfc9068("https://auth.example.com", "https://api.example.com")
//!     .keys(JwksUrl::new("https://auth.example.com/.well-known/jwks/orders.json")?)
//!     .build()?;
//!
//! async fn orders(caller: Caller) -> Json<String> {
//!     Json(format!("the orders of {}", caller.client_id))
//! }
//!
//! let app: Router = Router::new()
//!     .route("/orders", get(orders).layer(require::all(["orders:read"])))
//!     .layer(guard);
//! # Ok(())
//! # }
//! ```
//!
//! The order of the rules is that of [`gatepost_jose::verify`] and [`gatepost_jose::expect`]: the server's own
//! endpoints judge tokens with the same code.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

/// The code of the page that API developers read compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/integrate/guard.md")]
pub struct GuardPage;

/// So does that of the page about revocations.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/integrate/revocation.md")]
pub struct RevocationPage;

mod bearer;
mod builder;
mod caller;
mod clock;
mod config_error;
mod entropy;
mod guard;
mod https;
mod jwks_url;
mod key_cache;
mod key_source;
mod layer;
#[cfg(feature = "prometheus")]
mod metrics;
mod refusal;
pub mod require;
mod revocations;
mod ring;
mod status;
mod verified;

pub use builder::Builder;
pub use caller::{Caller, Identity};
pub use clock::{Clock, SystemClock};
pub use config_error::ConfigError;
pub use gatepost_jose as jose;
pub use guard::Guard;
pub use jwks_url::JwksUrl;
pub use key_source::{FetchError, Fetched, Fetching, FixedKeys, KeySource};
pub use layer::GuardService;
#[cfg(feature = "prometheus")]
pub use metrics::GuardCollector;
pub use refusal::Refusal;
pub use revocations::{
    AfterThat, FEED_LIFE, FEED_TYP, Feed, FeedClaims, FeedError, FeedStatus, NoRevocations, RevocationCheck,
    RevocationSet,
};
pub use status::GuardStatus;
