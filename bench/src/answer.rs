//! This file is where the token is taken out of an answer.

use serde::Deserialize;

use crate::failure::{Failure, Outcome};

#[derive(Deserialize)]
struct Answer<'a> {
    access_token: &'a str,
}

/// The token of an answer.
pub(crate) fn token(body: &[u8]) -> Outcome<&str> {
    let answer: Answer<'_> =
        serde_json::from_slice(body).map_err(|why| Failure::new("a token answer", why))?;
    Ok(answer.access_token)
}
