//! This folder is where the shapes of tokens are, one a file; an API has one of them.
//!
//! A profile writes the header once a key and the claims once a token, as bytes that go into the token as they are.

mod passport;
mod rfc9068;

use gatepost_jose::key_in_jti::JTI_BYTES;
use gatepost_jose::{Algorithm, KeyId};

pub use crate::apis::profile::{PassportOptions, Profile, Sub, Timestamps};
use crate::grants::Grant;
use crate::issuer::Issuer;
use crate::time::Timestamp;

impl Profile {
    /// The header of tokens signed by the key `kid`.
    pub fn header(&self, algorithm: Algorithm, kid: &KeyId) -> String {
        match self {
            Self::Passport(options) => passport::header(options, kid),
            Self::Rfc9068 => rfc9068::header(algorithm, kid),
        }
    }

    /// The claims of a token that carries out `grant`.
    pub fn claims(&self, grant: &Grant, issuer: &Issuer, minting: &Minting) -> TokenClaims {
        match self {
            Self::Passport(options) => passport::claims(options, grant, minting),
            Self::Rfc9068 => rfc9068::claims(grant, issuer, minting),
        }
    }
}

/// The moment and the chance that go into one token.
#[derive(Clone, Debug)]
pub struct Minting {
    /// When the request came in; the token's life is counted from here.
    pub started: Timestamp,
    /// When the claims are written.
    pub now: Timestamp,
    /// Chance for its id. The last 16 bytes name the key that signs ([`gatepost_jose::key_in_jti`]), and are not random.
    pub random: [u8; JTI_BYTES],
}

/// The claims of one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaims {
    /// The claims as JSON text.
    pub json: String,
    /// The token's id.
    pub jti: String,
    /// When it stops being valid.
    pub expires: Timestamp,
}

/// Appends `text` as a JSON string: slashes and non-ASCII as they are.
fn push_json(out: &mut String, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    // Without a way out in the middle the compiler looks at many bytes at once.
    if text.bytes().fold(true, |so_far, byte| so_far & plain(byte)) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // A text always serializes; nothing is the honest fallback for the impossible.
        out.push_str(&serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()));
    }
}

#[cfg(test)]
mod tests;
