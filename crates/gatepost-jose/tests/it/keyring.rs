//! This file is where the tests keep their keys and make their tokens.

use std::sync::LazyLock;

use gatepost_jose::verify::{Candidates, Keys};
use gatepost_jose::{Algorithm, Header, PublicKey, RsaBits, SigningKey, sign};

const RSA: &str = include_str!("../data/rsa-pkcs8.pem");
const NOW: i64 = 1_710_220_031;

static RS256: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_pem(Algorithm::Rs256, RSA).unwrap());
static PS256: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_pem(Algorithm::Ps256, RSA).unwrap());
static ES256: LazyLock<SigningKey> = LazyLock::new(|| fresh(Algorithm::Es256));
static EDDSA: LazyLock<SigningKey> = LazyLock::new(|| fresh(Algorithm::EdDsa));

/// One key of each algorithm, the same for all tests of a run.
pub(crate) fn key(algorithm: Algorithm) -> &'static SigningKey {
    match algorithm {
        Algorithm::Rs256 => &RS256,
        Algorithm::Ps256 => &PS256,
        Algorithm::Es256 => &ES256,
        Algorithm::EdDsa => &EDDSA,
    }
}

/// A new key.
pub(crate) fn fresh(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, RsaBits::B2048).unwrap()
}

/// The header that Gatepost writes for this key.
pub(crate) fn header(key: &SigningKey) -> String {
    format!(r#"{{"typ":"at+jwt","alg":"{}","kid":"{}"}}"#, key.algorithm(), key.kid())
}

/// Claims of the rfc9068 profile, as an object to change.
pub(crate) fn claims() -> serde_json::Map<String, serde_json::Value> {
    let claims = serde_json::json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "client-1", "client_id": "client-1",
        "scope": "bookings:create bookings:delete", "jti": "0190-1", "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
    });
    claims.as_object().unwrap().clone()
}

/// A token of the rfc9068 profile.
pub(crate) fn token(key: &SigningKey) -> String {
    sign::compact(key, &header(key), &serde_json::to_string(&claims()).unwrap()).unwrap()
}

/// Keys that are found by their id, or tried in turn when the token names none.
pub(crate) struct Ring(pub(crate) Vec<PublicKey>);

impl Ring {
    pub(crate) fn of(key: &SigningKey) -> Self {
        Self(vec![key.public().clone()])
    }
}

impl Keys for Ring {
    fn candidates(&self, header: &Header) -> Candidates<'_> {
        let matches = |key: &&PublicKey| header.kid.as_deref().is_none_or(|kid| kid == key.kid().as_str());
        self.0.iter().filter(matches).cloned().collect()
    }
}
