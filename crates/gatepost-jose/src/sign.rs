//! This file is where compact JWS are written (RFC 7515 section 3.1): the claims copied once, one allocation.

use crate::base64url;
use crate::error::KeyError;
use crate::key::SigningKey;

/// The signature of a 4096-bit RSA key, which is the longest that new keys make.
const LONGEST_USUAL_SIGNATURE: usize = 512;

/// Signs a header and claims, both JSON texts, and gives the token.
pub fn compact(key: &SigningKey, header_json: &str, claims_json: &str) -> Result<String, KeyError> {
    let input = SigningInput::new(header_json)
        .with_signature_len(key.signature_len())
        .with_claims(claims_json.as_bytes());
    let signature = key.sign(input.as_bytes())?;
    Ok(finish(input, &signature))
}

/// A header, encoded once for all tokens that bear it.
#[derive(Debug, Clone)]
pub struct SigningInput {
    header_and_dot: String,
    signature_len: usize,
}

impl SigningInput {
    /// Encodes the header.
    #[must_use]
    pub fn new(header_json: &str) -> Self {
        let mut header_and_dot = base64url::encode(header_json.as_bytes());
        header_and_dot.push('.');
        Self { header_and_dot, signature_len: LONGEST_USUAL_SIGNATURE }
    }

    /// Says how long the signature will be, so that the token gets the room it needs and no more.
    #[must_use]
    pub fn with_signature_len(self, signature_len: usize) -> Self {
        Self { signature_len, ..self }
    }

    /// `header.claims`: what is signed, with room for the signature.
    #[must_use]
    pub fn with_claims(&self, claims: &[u8]) -> String {
        let capacity = self
            .header_and_dot
            .len()
            .saturating_add(base64url::encoded_length(claims.len()))
            .saturating_add(1)
            .saturating_add(base64url::encoded_length(self.signature_len));
        let mut input = String::with_capacity(capacity);
        input.push_str(&self.header_and_dot);
        base64url::encode_into(claims, &mut input);
        input
    }
}

/// Appends the signature: `header.claims.signature`.
#[must_use]
pub fn finish(mut input: String, signature: &[u8]) -> String {
    input.push('.');
    base64url::encode_into(signature, &mut input);
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_built_in_one_allocation() {
        let input = SigningInput::new(r#"{"alg":"RS256"}"#).with_signature_len(256).with_claims(&[b'x'; 301]);
        let (place, capacity) = (input.as_ptr(), input.capacity());

        let token = finish(input, &[7; 256]);

        assert_eq!((token.as_ptr(), token.capacity()), (place, capacity));
        assert_eq!(token.len(), capacity);
    }
}
