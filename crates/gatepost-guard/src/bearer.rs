//! This file is where the token is found in a request (RFC 6750 section 2.1): in one `Authorization` header only.
//!
//! Tokens in the query or the body are never read: they end up in logs (RFC 9700 section 4.3.2).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::rejection::Refusal;

const SCHEME: &str = "bearer";

/// The token of the only `Authorization: Bearer` header.
pub(crate) fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::NoCredentials);
    };
    if values.next().is_some() {
        return Err(Refusal::Malformed);
    }
    // Without an early end the compiler takes many bytes at a time, and tokens are long.
    let visible = |byte: &u8| (0x20..0x7f).contains(byte) || *byte == b'\t';
    let is_visible = value.as_bytes().iter().fold(true, |all, byte| all & visible(byte));
    let Some(value) = std::str::from_utf8(value.as_bytes()).ok().filter(|_| is_visible) else {
        return Err(Refusal::Malformed);
    };
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => after_scheme(rest),
        // Another scheme, such as Basic, says nothing about a token.
        Some(_) | None => Err(Refusal::NoCredentials),
    }
}

/// One or more spaces, then the token: no tab, no second word.
fn after_scheme(rest: &str) -> Result<&str, Refusal> {
    let token = rest.trim_start_matches(' ');
    if token.len() == rest.len() && !rest.is_empty() && !rest.starts_with('\t') {
        // `Bearerx` is another scheme.
        return Err(Refusal::NoCredentials);
    }
    if token.is_empty() || token.len() == rest.len() || !is_graphic(token) {
        return Err(Refusal::Malformed);
    }
    Ok(token)
}

fn is_graphic(token: &str) -> bool {
    token.as_bytes().iter().fold(true, |all, byte| all & byte.is_ascii_graphic())
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
        token(&headers).map(str::to_owned)
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
            &[b"Bearer a", b"Bearer a"],
            &[b"Basic YTpi", b"Bearer a"],
        ] {
            assert_eq!(read(values), Err(Refusal::Malformed), "{values:?}");
        }
    }
}
