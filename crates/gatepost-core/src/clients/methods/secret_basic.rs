//! This file is where the two readings of Basic credentials are made.
//!
//! RFC 6749 section 2.3.1 wants id and secret form-encoded before Basic; many clients don't encode.
//! So both readings are tried: as sent first, decoded second.

use percent_encoding::percent_decode_str;

use super::{Credentials, Method, Presented};
use crate::secret::Secret;

/// The readings of an id and a secret that came in a Basic header.
pub fn candidates(client_id: &str, secret: &str) -> Presented {
    let mut candidates =
        vec![Credentials { client_id: client_id.to_owned(), secret: Secret::new(secret.to_owned()) }];

    if let (Some(decoded_id), Some(decoded_secret)) = (decoded(client_id), decoded(secret))
        && (decoded_id != client_id || decoded_secret != secret)
    {
        candidates.push(Credentials { client_id: decoded_id, secret: Secret::new(decoded_secret) });
    }

    Presented::Secret { method: Method::SecretBasic, candidates }
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(id: &str, secret: &str) -> Vec<(String, String)> {
        let Presented::Secret { candidates, .. } = candidates(id, secret) else {
            panic!("Basic credentials hold a secret");
        };
        candidates.into_iter().map(|c| (c.client_id, c.secret.expose().to_owned())).collect()
    }

    #[test]
    fn plain_text_has_one_reading() {
        assert_eq!(readings("a-b", "c"), [("a-b".into(), "c".into())]);
    }

    #[test]
    fn encoded_text_is_read_as_sent_first_and_decoded_second() {
        let expected = [("a%2Db".into(), "x+%C3%A9%3A".into()), ("a-b".into(), "x é:".into())];
        assert_eq!(readings("a%2Db", "x+%C3%A9%3A"), expected);
    }

    #[test]
    fn what_does_not_decode_to_text_has_one_reading() {
        assert_eq!(readings("a", "%ff").len(), 1);
    }
}
