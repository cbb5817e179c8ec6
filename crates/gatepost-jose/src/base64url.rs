//! This file is where base64url is written and read strictly (RFC 7515 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes as base64url without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends bytes as base64url without padding, using the room that `text` has.
pub fn encode_into(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// How many characters `bytes` bytes become.
#[must_use]
pub const fn encoded_length(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// The bytes of a base64url text; padding, another alphabet, white space and loose trailing bits are refused,
/// so that one value has one spelling.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_announced_are_the_sizes_written() {
        for length in 0..70 {
            assert_eq!(encode(&vec![7; length]).len(), encoded_length(length));
        }
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert_eq!(decode("AQI"), Some(vec![1, 2]));
        for other in ["AQI=", "AQJ", "AQ I", "AQ\nI", "+QI", "/QI", "A", " AQI", "AQI\0", "ÄQI"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
