//! This file is where the token is found in a request (RFC 6750 section 2.1): in one `Authorization` header only.
//!
//! Tokens in the query or the body are never read: they end up in logs (RFC 9700 section 4.3.2).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::refusal::Refusal;

const SCHEME: &[u8] = b"bearer";

/// What stands for the token in the only `Authorization: Bearer` header; whether it can be one is for [`text`] to say.
pub(crate) fn presented(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::NoCredentials);
    };
    if values.next().is_some() {
        return Err(Refusal::Malformed);
    }
    let value = value.as_bytes();
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => after_scheme(value, rest),
        // Another scheme, such as Basic, says nothing about a token.
        Some(_) | None => Err(other_scheme(value)),
    }
}

/// One or more spaces, then the token: no tab.
fn after_scheme<'a>(value: &'a [u8], rest: &'a [u8]) -> Result<&'a [u8], Refusal> {
    match rest {
        [] | [b'\t', ..] => Err(Refusal::Malformed),
        [b' ', ..] => Ok(behind_spaces(rest)),
        // `Bearerx` is another scheme.
        [_, ..] => Err(other_scheme(value)),
    }
}

fn behind_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    text.split_at_checked(spaces).map_or(&[], |(_, rest)| rest)
}

fn other_scheme(value: &[u8]) -> Refusal {
    let is_visible = value.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\t');
    if is_visible { Refusal::NoCredentials } else { Refusal::Malformed }
}

/// The token, if it can be one: visible characters of ASCII, so no second word.
pub(crate) fn text(presented: &[u8]) -> Result<&str, Refusal> {
    // Without an early end the compiler takes many bytes at a time, and tokens are long.
    let is_graphic = presented.iter().fold(true, |all, byte| all & byte.is_ascii_graphic());
    if presented.is_empty() || !is_graphic {
        return Err(Refusal::Malformed);
    }
    std::str::from_utf8(presented).map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&'static [u8]]) -> Result<String, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        presented(&headers).and_then(text).map(str::to_owned)
    }

    #[test]
    fn the_scheme_has_any_case_and_one_or_more_spaces() {
        for value in [b"Bearer a.b.c" as &[u8], b"bearer a.b.c", b"BEARER   a.b.c"] {
            assert_eq!(read(&[value]), Ok("a.b.c".into()));
        }
    }

    #[test]
    fn no_bearer_credentials_is_not_bad_credentials() {
        for values in [&[][..], &[b"Basic YTpi" as &[u8]], &[b""], &[b"a.b.c"], &[b"Bearerx a"], &[b"Bear"]] {
            assert_eq!(read(values), Err(Refusal::NoCredentials), "{values:?}");
        }
    }

    #[test]
    fn what_is_not_exactly_one_token_is_refused() {
        for values in [
            &[b"Bearer" as &[u8]][..],
            &[b"Bearer "],
            &[b"Bearer\ta.b.c"],
            &[b"Bearer \ta.b.c"],
            &[b"Bearer Bearer a.b.c"],
            &[b"Bearer a.b.c d"],
            &[b"Bearer a.b.c, Bearer d"],
            &[b"Bearer \xe9"],
            &[b"Bearerx \xe9"],
            &[b"Basic \xe9"],
            &[b"Bearer \ta"],
            &[b"Bearer a", b"Bearer a"],
            &[b"Basic YTpi", b"Bearer a"],
        ] {
            assert_eq!(read(values), Err(Refusal::Malformed), "{values:?}");
        }
    }
}
