//! This file is where the tokens of a run are counted by their jti and one in a hundred is verified.
//!
//! It happens between the slices, so that the generator stays light while it asks.

use std::collections::HashSet;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Deserialize;

use crate::answer::token;
use crate::failure::{Failure, Outcome};
use crate::jti::Layout;
use crate::load::Load;

/// Every hundredth token is verified, beginning with the first.
const VERIFY_EVERY: usize = 100;

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

/// The key that the server's tokens verify with, as its JWKS tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct Key {
    kty: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl Key {
    /// The only key of an API's document.
    pub(crate) fn of_document(document: &[u8]) -> Outcome<Self> {
        let bad = |why: String| Failure::new("the API's JWKS", why);
        let Keys { mut keys } = serde_json::from_slice(document).map_err(|why| bad(why.to_string()))?;
        match (keys.pop(), keys.len()) {
            (Some(key), 0) => Ok(key),
            (_, more) => Err(bad(format!("it must hold one key; others: {more}"))),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        match self.kty.as_str() {
            "RSA" => {
                let key = PublicKeyComponents { n: decode(&self.n)?, e: decode(&self.e)? };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).ok()
            }
            "EC" => {
                let point = [vec![4], decode(&self.x)?, decode(&self.y)?].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).ok()
            }
            "OKP" => UnparsedPublicKey::new(&ED25519, decode(&self.x)?).verify(message, signature).ok(),
            _ => None,
        }
    }
}

/// The length of what is signed, of a token answer.
pub(crate) fn signed_length(body: &[u8]) -> Outcome<usize> {
    let token = token(body)?;
    token.rfind('.').ok_or_else(|| Failure::new("an access token", "it is no JWT"))
}

/// The tokens of one figure.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: Key,
    seen: HashSet<u64>,
    layout: Layout,
    pub count: usize,
    pub verified: usize,
}

impl Tokens {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, seen: HashSet::new(), layout: Layout::default(), count: 0, verified: 0 }
    }

    /// How many different jti there were; fewer than tokens voids the figure.
    pub(crate) fn distinct(&self) -> usize {
        self.seen.len()
    }

    /// Takes the tokens of a slice: all are counted, those that were kept are verified.
    pub(crate) fn take(&mut self, load: &Load) -> Outcome<()> {
        self.count += usize::try_from(load.good).unwrap_or(usize::MAX);
        self.seen.extend(&load.jtis);
        load.kept.iter().try_for_each(|body| self.verify(body))
    }

    /// Takes every one of these.
    pub(crate) fn take_bodies(&mut self, bodies: &[Bytes]) -> Outcome<()> {
        for body in bodies {
            if self.count.is_multiple_of(VERIFY_EVERY) {
                self.verify(body)?;
            }
            self.seen.extend(self.layout.jti_of(body));
            self.count += 1;
        }
        Ok(())
    }

    fn verify(&mut self, body: &[u8]) -> Outcome<()> {
        let token = token(body)?;
        let (message, signature) = parts(token).ok_or_else(|| Failure::new("no JWT", token))?;
        let good = self.key.verify(message.as_bytes(), &signature);
        good.ok_or_else(|| Failure::new("a token does not verify", token))?;
        self.verified += 1;
        Ok(())
    }
}

/// What is signed, and the signature.
fn parts(token: &str) -> Option<(&str, Vec<u8>)> {
    let (message, signature) = token.rsplit_once('.')?;
    Some((message, decode(signature)?))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    fn signed_by(pair: &Ed25519KeyPair, jti: &str) -> Bytes {
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"jti":"{jti}"}}"#));
        let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#));
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
        Bytes::from(format!(r#"{{"token_type":"Bearer","access_token":"{message}.{signature}"}}"#))
    }

    fn tokens_of(pair: &Ed25519KeyPair) -> Tokens {
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let document = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
        Tokens::new(Key::of_document(document.as_bytes()).expect("one key"))
    }

    #[test]
    fn a_repeated_jti_is_not_counted_as_distinct() {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let mut tokens = tokens_of(&pair);
        tokens
            .take_bodies(&[signed_by(&pair, "a"), signed_by(&pair, "b"), signed_by(&pair, "a")])
            .expect("good tokens");
        assert_eq!((tokens.count, tokens.distinct(), tokens.verified), (3, 2, 1));
    }

    #[test]
    fn a_token_of_another_key_fails_the_run() {
        let (own, other) =
            (Ed25519KeyPair::generate().expect("a key"), Ed25519KeyPair::generate().expect("a key"));
        assert!(tokens_of(&own).take_bodies(&[signed_by(&other, "a")]).is_err());
    }

    #[test]
    fn the_signed_length_leaves_out_the_last_dot_and_the_signature() {
        assert_eq!(signed_length(br#"{"access_token":"aaa.bbbb.cc"}"#).expect("a token"), 8);
    }

    #[test]
    fn a_document_of_two_keys_is_refused() {
        assert!(Key::of_document(br#"{"keys":[{"kty":"OKP"},{"kty":"OKP"}]}"#).is_err());
        assert!(Key::of_document(br#"{"keys":[]}"#).is_err());
    }
}
