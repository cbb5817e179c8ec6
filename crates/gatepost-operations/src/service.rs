//! This file is where the server speaks for itself: what its service key signs, each kind under its own type.
//!
//! The types differ from those of access tokens, so nothing said here can pass for a token.

use gatepost_jose::sign::{self, SigningInput};
use gatepost_jose::{Algorithm, Jwk, PublicKey};

use crate::failure::{Failure, Kind};
use crate::gate::Gate;

/// What the service key signs with.
pub const ALGORITHM: Algorithm = Algorithm::Es256;

/// What the server says by its service key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The revocation feed of an API.
    RevocationFeed,
    /// An introspection answer (RFC 9701 section 5).
    IntrospectionAnswer,
}

impl Statement {
    /// The `typ` of its header.
    pub const fn typ(self) -> &'static str {
        match self {
            Self::RevocationFeed => "gatepost-revocations+jwt",
            Self::IntrospectionAnswer => "token-introspection+jwt",
        }
    }
}

/// Signs claims as a statement of that kind.
pub fn sign(gate: &Gate, statement: Statement, claims_json: &str) -> Result<String, Failure> {
    let ring = gate.ring();
    let key = ring.service().ok_or_else(no_key)?;
    let header =
        format!(r#"{{"typ":"{}","alg":"{}","kid":"{}"}}"#, statement.typ(), key.algorithm(), key.kid());
    let input = SigningInput::new(&header)
        .with_signature_len(key.signature_len())
        .with_claims(claims_json.as_bytes());
    let signature = key.sign(input.as_bytes())?;
    Ok(sign::finish(input, &signature))
}

/// The public half, which followers of the feed are given.
pub fn public_key(gate: &Gate) -> Option<Jwk> {
    gate.ring().service().map(|key| PublicKey::to_jwk(key.public()))
}

fn no_key() -> Failure {
    let what = "the service key is missing";
    Failure::new(
        Kind::Unavailable,
        "key.no_service",
        what,
        "the store holds none that signs",
        "restore the store from a backup",
    )
}
