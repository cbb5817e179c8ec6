//! This file is where a client proves who it is by a signed assertion.
//!
//! Whatever was found, one signature is verified: against a decoy of the same algorithm where the client is unknown or
//! has no key that fits. The proof itself is made only of an assertion that the store has not seen before.

use std::sync::{Arc, LazyLock};

use gatepost_jose::verify::{Candidates, Keys, verify};
use gatepost_jose::{Header, Jwk, PublicKey, Rejection, Verified};

use super::{AuthenticatedClient, Source, check_standing};
use crate::clients::ClientRecord;
use crate::clients::methods::private_key_jwt::{Assertion, OneUse, Terms, rejected};
use crate::clients::public_key::AssertionKey;
use crate::ids::ClientId;
use crate::refusal::{Code, Refusal};
use crate::time::Timestamp;

/// A client that was found, with the keys that it may sign with now, fetched ones too.
#[derive(Clone, Debug)]
pub struct KnownClient {
    /// The client.
    pub record: Arc<ClientRecord>,
    /// Its keys.
    pub keys: Vec<AssertionKey>,
}

/// An assertion that is right in all but one thing: whether it was used before.
#[derive(Debug)]
#[must_use]
pub struct UnusedAssertion {
    record: Arc<ClientRecord>,
    once: OneUse,
}

impl UnusedAssertion {
    /// Whose it is.
    pub fn client(&self) -> &ClientId {
        &self.record.client.id
    }

    /// What it is told apart by among the assertions of its client.
    pub fn jti(&self) -> &str {
        &self.once.jti
    }

    /// Until when its use must be remembered.
    pub fn until(&self) -> Timestamp {
        self.once.until
    }

    /// The proof, once the store said whether this is the first use.
    pub fn used_first(self, is_first: bool) -> Result<AuthenticatedClient, Refusal> {
        if !is_first {
            return Err(Code::InvalidClient.because("assertion replayed"));
        }
        Ok(AuthenticatedClient { record: self.record, secret: None, newer_tag: None })
    }
}

/// Holds an assertion against what was found under the id that it names.
pub fn authenticate_assertion(
    found: Option<&KnownClient>,
    assertion: &Assertion,
    source: Source,
    terms: &Terms<'_>,
    now: Timestamp,
) -> Result<UnusedAssertion, Refusal> {
    let keys = found.map_or(&[][..], |known| &known.keys);
    let verified = verified_by(keys, assertion);

    let Some(KnownClient { record, .. }) = found else {
        return Err(Code::InvalidClient.because("no such client"));
    };
    let verified = verified.map_err(rejected)?;
    check_standing(record, source, now)?;
    let once = terms.check(&verified, &record.client.id, now)?;

    Ok(UnusedAssertion { record: Arc::clone(record), once })
}

fn verified_by(keys: &[AssertionKey], assertion: &Assertion) -> Result<Verified, Rejection> {
    let fitting = AssertionKey::fitting(keys, assertion.header());
    if !fitting.is_empty() {
        return verify(assertion.expose(), &These(&fitting));
    }
    // Only the time counts: even a signature that the decoy verified would prove nothing.
    let _ = verify(assertion.expose(), &Decoy);
    let header = assertion.header();
    Err(if header.kid.is_some() { Rejection::KeyUnknown } else { Rejection::AlgorithmMismatch })
}

struct These<'a>(&'a [PublicKey]);

impl Keys for These<'_> {
    fn candidates(&self, _: &Header) -> Candidates<'_> {
        self.0.iter().cloned().collect()
    }
}

/// Keys whose private halves nobody has, one an algorithm.
struct Decoy;

impl Keys for Decoy {
    fn candidates(&self, header: &Header) -> Candidates<'_> {
        let decoy = DECOYS.iter().find(|jwk| jwk.alg.as_deref() == Some(header.alg.as_str()));
        decoy.and_then(|jwk| PublicKey::from_jwk(jwk).ok()).map_or_else(Candidates::none, Candidates::one)
    }
}

/// Made for this list; the private halves were never kept.
static DECOYS: LazyLock<Vec<Jwk>> = LazyLock::new(|| {
    const N: &str = "n0lUiMLeZYGTPOWdqIyWuLIoQP5kLW05LtV3V8d-rfmvocr1UyRi0eyNWgxAlKBImyVHGlkuHYSU_z6HlMVi3lYuQ7GiaTO2cyOrNadAqlgna9YdDZJSehBPLsWaHYXqZu84sAIthRt21Lgxbb6SfK9VBAyUrDRjAV_BxVhrYb4l35No8BnwcZ4iBSNZc7bsbvCDk_3QbXmgw2V9E_1V6PtuqgCI6ByizmhlvoSu8rHTQOegfz4oNyD9hLea3RHvZV7kDrnufHq4S8ybrNWg0mi8GyC6F4mjVpuWujG8f38id6eY9NjoHYJbDUU2VXpU05h9jyz-Jw5sY-vp6wm49Q";
    let text = |value: &str| Some(value.to_owned());
    let rsa =
        |alg: &str| Jwk { kty: "RSA".into(), alg: text(alg), n: text(N), e: text("AQAB"), ..Jwk::default() };
    let es256 = Jwk {
        kty: "EC".into(),
        alg: text("ES256"),
        crv: text("P-256"),
        x: text("V5fwum16qQMlsVNCTih4CoG8CyWcogfZoxNBiTn0We4"),
        y: text("6tRbVxraE4Pmey-Hc22_OWA8qGZ1WwxrmUaohgFXyjQ"),
        ..Jwk::default()
    };
    let eddsa = Jwk {
        kty: "OKP".into(),
        alg: text("EdDSA"),
        crv: text("Ed25519"),
        x: text("XceKUaerbP9XTdn-c0fVPEXiPiQ7svGbvtrrl4oaUqA"),
        ..Jwk::default()
    };
    vec![rsa("RS256"), rsa("PS256"), es256, eddsa]
});

#[cfg(test)]
mod tests;
