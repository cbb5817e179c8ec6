//! This folder is where client authentication methods are, one a file: how what came with a request becomes credentials.

pub mod private_key_jwt;
mod secret_basic;
mod secret_post;

pub use private_key_jwt::Assertion;
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
    /// An assertion signed with the client's key (RFC 7523).
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
}

impl Method {
    /// Every method that the server offers.
    pub const ALL: [Self; 3] = [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// The method's registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
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

/// What a request brought to prove who sends it; never more than one method.
#[derive(Debug)]
pub enum Presented {
    /// A secret: one or two readings of the same text, tried in order.
    Secret {
        /// How it was presented.
        method: Method,
        /// The readings, the likelier first.
        candidates: Vec<Credentials>,
    },
    /// A signed assertion.
    Assertion(Assertion),
}

impl Presented {
    /// The ids that it may mean, the likelier first; not yet known to be anyone's.
    pub fn client_ids(&self) -> Vec<&str> {
        match self {
            Self::Secret { candidates, .. } => candidates.iter().map(|one| one.client_id.as_str()).collect(),
            Self::Assertion(assertion) => vec![assertion.client_id()],
        }
    }
}
