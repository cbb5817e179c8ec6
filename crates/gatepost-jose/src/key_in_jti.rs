//! This file is where a token without `kid` says all the same which key signed it: in its `jti`.
//!
//! The idea: where the header must be `{"typ":"JWT","alg":"RS256"}` and no more, a reader with several keys would have to
//! try each. The `jti` there is 40 bytes of chance as hex. Its last 16 are the 16 before them, masked with the key's id:
//! who holds the keys sees which one is meant, and for everybody else it is chance as before.
//! The limit: it is the word of whoever wrote the token. It chooses the key that is asked; the signature decides.
//! The price: 16 bytes less of chance. 24 are left, 18 where the id begins with the time.

use crate::key::{KeyId, PublicKey};

/// How many bytes such an id has.
pub const JTI_BYTES: usize = 40;
/// Left alone: an id may begin with the time.
const START: usize = 8;
const MASKED: usize = 16;
/// Gatepost writes `aud` before it, which is a client's id of 64 bytes at most.
const LOOKED_THROUGH: usize = 256;
const NAME: &[u8] = br#""jti":""#;

/// Chance for the `jti` of a token that the key `kid` signs.
#[must_use]
pub fn naming(kid: &KeyId, chance: [u8; JTI_BYTES]) -> [u8; JTI_BYTES] {
    let mut id = chance;
    let masked = id.iter_mut().skip(START.saturating_add(MASKED));
    for ((byte, before), mask) in masked.zip(chance.iter().skip(START)).zip(mask(kid)) {
        *byte = before ^ mask;
    }
    id
}

/// The beginning of the key's id; a shorter id, which is never Gatepost's own, is filled up.
fn mask(kid: &KeyId) -> impl Iterator<Item = u8> + '_ {
    kid.as_str().bytes().chain(std::iter::repeat(0)).take(MASKED)
}

/// Which key a token says it was signed by, before anything of it is verified.
///
/// It may choose whom to ask about the token, and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimedKey {
    kid: Option<String>,
    jti: Option<[u8; JTI_BYTES]>,
}

impl ClaimedKey {
    /// By the header's `kid`; without one, by the claims.
    pub(crate) fn read(kid: Option<&str>, claims: &[u8]) -> Self {
        let jti = if kid.is_none() { jti(claims) } else { None };
        Self { kid: kid.map(str::to_owned), jti }
    }

    /// Whether the token names this key.
    #[must_use]
    pub fn names(&self, key: &PublicKey) -> bool {
        match (&self.kid, &self.jti) {
            (Some(kid), _) => kid == key.kid().as_str(),
            (None, Some(jti)) => naming(key.kid(), *jti) == *jti,
            (None, None) => false,
        }
    }

    /// Whether this key may have signed the token without being named: some keys never do.
    #[must_use]
    pub fn leaves_open(&self, key: &PublicKey) -> bool {
        self.kid.is_none() && !key.is_named_in_jti()
    }

    /// The key that is named, if it is among these; else those that may have signed all the same.
    pub fn among<'k>(
        &self,
        keys: impl Iterator<Item = &'k PublicKey> + Clone,
    ) -> impl Iterator<Item = &'k PublicKey> {
        let one_is_named = keys.clone().any(|key| self.names(key));
        keys.filter(move |key| if one_is_named { self.names(key) } else { self.leaves_open(key) })
    }
}

/// What it says is the caller's text and stays out of logs.
impl std::fmt::Debug for ClaimedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimedKey").finish_non_exhaustive()
    }
}

/// The `jti` as Gatepost writes it, near the start of the claims. No JSON is read for it: inside of a JSON text a quote
/// has a backslash before it, so the first match is the claim itself, and in what is no JSON it does not matter.
fn jti(claims: &[u8]) -> Option<[u8; JTI_BYTES]> {
    let start = claims.get(..LOOKED_THROUGH.min(claims.len()))?;
    let at = start.windows(NAME.len()).position(|window| window == NAME)?;
    let (digits, rest) =
        claims.get(at.checked_add(NAME.len())?..)?.split_at_checked(JTI_BYTES.checked_mul(2)?)?;
    if rest.first() != Some(&b'"') || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; JTI_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid(text: &str) -> KeyId {
        text.parse().unwrap()
    }

    fn claims(id: [u8; JTI_BYTES]) -> String {
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(r#"{{"aud":"client \"jti\":\"","jti":"{hex}","iat":1}}"#)
    }

    const CHANCE: [u8; JTI_BYTES] = {
        let mut chance = [0; JTI_BYTES];
        let mut at = 0;
        while at < JTI_BYTES {
            chance[at] = (at as u8).wrapping_mul(37).wrapping_add(11);
            at += 1;
        }
        chance
    };

    #[test]
    fn the_first_24_bytes_stay_chance_and_the_time_may_take_the_first_six() {
        let named = naming(&kid("a-key"), CHANCE);
        assert_eq!(named[..24], CHANCE[..24]);
        assert_ne!(named[24..], CHANCE[24..]);

        let mut dated = named;
        dated[..6].copy_from_slice(&[0xff; 6]);
        assert_eq!(naming(&kid("a-key"), dated), dated);
    }

    #[test]
    fn an_id_names_one_key_and_chance_names_none() {
        let ids = [kid("first-key-0123456789"), kid("other-key-0123456789"), kid("k")];
        for key in &ids {
            let id = naming(key, CHANCE);
            let named: Vec<_> = ids.iter().filter(|other| naming(other, id) == id).collect();
            assert_eq!(named, [key]);
        }
        assert!(ids.iter().all(|key| naming(key, CHANCE) != CHANCE));
    }

    #[test]
    fn only_80_hex_digits_near_the_start_are_read() {
        assert_eq!(jti(claims(CHANCE).as_bytes()), Some(CHANCE));
        let far = format!(r#"{{"aud":"{}",{}"#, "a".repeat(LOOKED_THROUGH), &claims(CHANCE)[1..]);
        let with = |other: &str| claims(CHANCE).replace(r#"","iat""#, other);
        for none in
            [far, with(r#"0","iat""#), with("+"), with(""), "{}".into(), r#""jti":""#.into(), String::new()]
        {
            assert_eq!(jti(none.as_bytes()), None, "{none}");
        }
        assert_eq!(jti(&[0xff; 300]), None);
        assert_eq!(jti(format!(r#""jti":"{}""#, "+1".repeat(JTI_BYTES)).as_bytes()), None);
    }
}
