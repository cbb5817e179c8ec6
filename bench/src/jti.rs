//! This file is where tokens are told apart by their jti at the least price: a hash of the part of the text that holds it.
//!
//! Tokens of one client are alike in layout, so after the first it is known where the jti stands. A token of another
//! length, or with another text before that place, is read anew.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::answer::token;

const NAME: &[u8] = b"\"jti\":\"";

/// Where the jti stands in answers like the last one.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    length: usize,
    place: Range<usize>,
    /// The four characters before it, which hold nothing but a part of its name.
    before: Vec<u8>,
}

impl Layout {
    /// A hash of the answer's jti; nothing when it holds no token with one.
    pub(crate) fn jti_of(&mut self, body: &[u8]) -> Option<u64> {
        if !self.fits(body) {
            *self = Self::found(body)?;
        }
        let mut hasher = DefaultHasher::new();
        body.get(self.place.clone())?.hash(&mut hasher);
        Some(hasher.finish())
    }

    fn fits(&self, body: &[u8]) -> bool {
        let before = self.place.start.checked_sub(4).and_then(|start| body.get(start..self.place.start));
        body.len() == self.length && before == Some(&self.before)
    }

    fn found(body: &[u8]) -> Option<Self> {
        let token = token(body).ok()?;
        let (header, rest) = token.split_once('.')?;
        let (claims, _) = rest.split_once('.')?;
        let decoded = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let start = decoded.windows(NAME.len()).position(|part| part == NAME)? + NAME.len();
        let end = start + decoded.get(start..)?.iter().position(|byte| *byte == b'"')?;

        // Three bytes are four characters; what stands beside the jti in its first and last four is always the same.
        let first = body.windows(token.len()).position(|part| part == token.as_bytes())? + header.len() + 1;
        let last = first + (end.div_ceil(3) * 4).min(claims.len());
        let place = first + start / 3 * 4..last;
        let before = body.get(place.start.checked_sub(4)?..place.start)?.to_vec();
        Some(Self { length: body.len(), place, before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(claims: &str) -> Vec<u8> {
        let claims = URL_SAFE_NO_PAD.encode(claims);
        format!(r#"{{"access_token":"head.{claims}.signature"}}"#).into_bytes()
    }

    #[test]
    fn tokens_are_told_apart_by_their_jti_alone_wherever_it_stands() {
        for before in ["", "1", "12"] {
            let of = |jti: &str, after: &str| {
                answer(&format!(r#"{{"a":"{before}","jti":"{jti}","iat":{after}}}"#))
            };
            let mut layout = Layout::default();
            let first = layout.jti_of(&of("0123456789", "1"));
            assert!(first.is_some());
            assert_eq!(layout.jti_of(&of("0123456789", "2")), first, "the same jti a second later");
            assert_ne!(layout.jti_of(&of("1123456789", "1")), first);
            assert_ne!(layout.jti_of(&of("0123456788", "1")), first);
            assert_eq!(layout.length, of("0123456789", "1").len());
        }
    }

    #[test]
    fn another_layout_of_the_same_length_is_read_anew() {
        let mut layout = Layout::default();
        let first = layout.jti_of(&answer(r#"{"a":"1234567890","jti":"x","b":"1"}"#));
        let other = layout.jti_of(&answer(r#"{"a":"1","jti":"x","b":"1234567890"}"#));
        assert_eq!(first.is_some(), other.is_some());
        assert_eq!(layout.jti_of(&answer(r#"{"a":"1","jti":"x","b":"1234567891"}"#)), other);
    }

    #[test]
    fn what_is_no_token_has_no_jti() {
        for body in [&b""[..], b"hello", b"{\"access_token\":\"a.b\"}", b"{\"access_token\":\"a.e30.c\"}"] {
            assert_eq!(Layout::default().jti_of(body), None);
        }
    }
}
