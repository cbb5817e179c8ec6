//! This folder is where client authentication methods are, one a file: how what came with a request becomes credentials.

mod secret_basic;
mod secret_post;

pub use secret_basic::candidates as secret_basic;
pub use secret_post::candidates as secret_post;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// A client authentication method, by the names of RFC 7591 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The secret in the `Authorization: Basic` header.
    #[serde(rename = "client_secret_basic")]
    SecretBasic,
    /// The secret in the body.
    #[serde(rename = "client_secret_post")]
    SecretPost,
}

impl Method {
    /// Every method that the server offers.
    pub const ALL: [Self; 2] = [Self::SecretBasic, Self::SecretPost];

    /// The method's registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
        }
    }

    /// The method of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// An id and the secret that is to prove it.
#[derive(Debug)]
pub struct Credentials {
    /// The id as presented; not yet known to be anyone's.
    pub client_id: String,
    /// The secret as presented.
    pub secret: Secret,
}

/// What a request brought to prove who sends it: one or two readings of the same text, tried in order.
#[derive(Debug)]
pub struct Presented {
    /// How it was presented.
    pub method: Method,
    /// The readings, the likelier first.
    pub candidates: Vec<Credentials>,
}
