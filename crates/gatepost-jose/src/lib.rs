//! This crate is where tokens are made and judged: keys, JWK, signing, verification and what a claim must say.
//!
//! It does no IO and reads no clock; the only chance it takes is key generation and the signature's own.
//! The server, the guard, introspection and forward-auth all use these files: one definition of "valid".
//!
//! - [`SigningKey`], [`PublicKey`], [`KeyId`]: keys, parsed once (RFC 7517, RFC 7638, RFC 8037).
//! - [`sign`]: compact JWS from a header and claims (RFC 7515).
//! - [`key_in_jti`]: how a token without `kid` names its key.
//! - [`verify`]: structure, algorithm, key, signature and claims, in this order (RFC 8725).
//! - [`statement`]: what a server says by a key of its own, such as a revocation feed.
//! - [`expect`]: what a token profile demands of the claims at a point in time (RFC 9068).

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub mod algorithm;
pub mod base64url;
pub mod claims;
mod der;
pub mod error;
pub mod expect;
pub mod jwk;
pub mod key;
pub mod key_in_jti;
pub mod micros;
mod pem;
pub mod sign;
pub mod statement;
mod strict_json;
mod thumbprint;
pub mod verify;

pub use algorithm::{Algorithm, Primes, RsaBits, Yardstick};
pub use claims::{Claims, ScopeForm};
pub use error::{KeyError, Rejection};
pub use expect::{Expectation, Expected};
pub use jwk::{Jwk, JwkSet};
pub use key::{KeyId, PublicKey, SigningKey};
pub use micros::Micros;
pub use verify::{Header, Verified};
