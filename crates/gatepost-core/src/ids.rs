//! This file is where partners, clients, service users and APIs have their ids: the words by which the nouns speak of each other.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a partner is known by in tokens (`partner_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(pub Uuid);

/// What a client is known by: a UUID made here, or what an import brought (1 to 64 visible ASCII characters).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(Box<str>);

impl ClientId {
    /// The id made of a UUID.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.hyphenated().to_string().into())
    }

    /// Accepts an id as presented; `None` for text that can't be the id of any client.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        fits.then(|| Self(text.into()))
    }

    /// The id as tokens name it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The UUID that it is; none of another text, nor of a UUID that is spelled in another way than ours, for that is
    /// another id.
    pub fn as_uuid(&self) -> Option<Uuid> {
        canonical(&self.0)
    }

    /// Whether it is a plain integer, which a resource server might take for the id of a user.
    pub fn is_integer(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The service user that a client acts as (`user_id` in tokens).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

/// What an API is known by when it authenticates (`api_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiId(pub Uuid);

impl ApiId {
    /// Accepts an id as presented, which has one spelling.
    pub fn parse(text: &str) -> Option<Self> {
        canonical(text).map(Self)
    }
}

/// A UUID in the spelling in which they are given out: what is counted or remembered by its text can't be dodged then.
fn canonical(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_spelling() {
        let text = "9b1e82a7-0a59-4e7e-add5-b9ffa37aade1";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(ApiId::parse(text), Some(ApiId(uuid)));
        assert_eq!(ClientId::parse(text).unwrap().as_uuid(), Some(uuid));
        for other in
            [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}"), format!("urn:uuid:{text}")]
        {
            assert_eq!(ApiId::parse(&other), None, "{other}");
            assert_eq!(ClientId::parse(&other).unwrap().as_uuid(), None, "{other}");
        }
    }
}
