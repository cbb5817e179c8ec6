//! This folder is where APIs are: the resource servers that tokens are for.

pub mod profile;
mod register;
pub mod routes;

pub use register::{NewApi, register};

use gatepost_jose::Algorithm;
use serde::{Deserialize, Serialize};
use url::Url;

pub use crate::ids::ApiId;

use self::profile::Profile;
use self::routes::Route;
use crate::keys::rotation::Turns;
use crate::name::Slug;
use crate::scope::{Scope, Scopes};
use crate::secret::stored::StoredSecret;
use crate::time::Timestamp;

/// Why an API can't be as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadApi {
    /// Tokens can't name this as their audience.
    #[error("an audience is an absolute address without `#`")]
    Audience,
    /// An algorithm that the header and the readers of `passport` tokens do not know.
    #[error("the passport profile is RS256 only")]
    PassportAlgorithm,
}

/// The audience that tokens name and that `resource` asks for: an absolute URI without fragment (RFC 8707 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audience(String);

impl Audience {
    /// Accepts an audience, kept byte for byte.
    pub fn parse(text: &str) -> Result<Self, BadApi> {
        let absolute = Url::parse(text).is_ok_and(|url| url.fragment().is_none() && !text.contains('#'));
        let plain = text.len() <= 255 && text.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        if !absolute || !plain {
            return Err(BadApi::Audience);
        }
        Ok(Self(text.to_owned()))
    }

    /// The audience as tokens name it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A resource server that tokens are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// What it authenticates as.
    pub id: ApiId,
    /// What commands call it; unique.
    pub name: Slug,
    /// What its tokens name as audience; unique.
    pub audience: Audience,
    /// The shape of its tokens.
    pub profile: Profile,
    /// The algorithm of its keys.
    pub algorithm: Algorithm,
    /// How often its keys take turns.
    pub turns: Turns,
    /// When it was registered.
    pub created: Timestamp,
    /// Counts its changes.
    pub version: i64,
}

/// A scope of an API with the words that explain it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiScope {
    /// The scope.
    pub name: Scope,
    /// What a partner's developer reads about it.
    pub description: String,
}

/// An API with its scopes, as the rules need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiWithScopes {
    /// The API.
    pub api: Api,
    /// Its scopes, in order of their names.
    pub scopes: Vec<ApiScope>,
}

/// How an API authenticates and what it guards by method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAccess {
    /// The API.
    pub api: ApiId,
    /// Its secrets that have not ended.
    pub secrets: Vec<StoredSecret>,
    /// Its route table; every path is allowed to valid tokens when empty.
    pub routes: Vec<Route>,
}

impl ApiWithScopes {
    /// The names of its scopes.
    pub fn scope_names(&self) -> Scopes {
        self.scopes.iter().map(|scope| scope.name.clone()).collect()
    }
}
