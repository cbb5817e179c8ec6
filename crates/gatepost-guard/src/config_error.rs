//! This file is where it is said why a guard, or what it fetches from, can't be as asked.

use thiserror::Error;

/// Why a guard can't be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// No token profile.
    #[error(
        "the guard doesn't know which tokens to accept; call `rfc9068(issuer, audience)` or `passport(keys)`"
    )]
    NoProfile,
    /// An empty issuer.
    #[error("the issuer is empty; give the issuer of your Gatepost server, letter for letter")]
    NoIssuer,
    /// An empty audience.
    #[error("the audience is empty; give the audience of this API as `gatepost api show` prints it")]
    NoAudience,
    /// No keys.
    #[error("the guard has no keys to verify with; call `keys(JwksUrl::new(..)?)` or give `FixedKeys`")]
    NoKeys,
    /// Keys of several APIs in the passport profile.
    #[error(
        "passport tokens don't say which API they are for, so their keys must be those of one API; \
         use `JwksUrl::of_api(issuer, api)`, not the set of all APIs"
    )]
    SharedKeys,
    /// A leeway that is no leeway any more.
    #[error("the leeway is longer than five minutes; set the clocks instead")]
    Leeway,
    /// No token lives that short.
    #[error("the longest lifetime is zero; give that of your tokens, or leave out the call for 24 hours")]
    MaxLifetime,
    /// The realm has characters that don't fit into a header.
    #[error("the realm may have letters, digits, spaces and punctuation except quotes and backslashes")]
    Realm,
    /// A URL that isn't safe to fetch.
    #[error("the URL is refused: {why}")]
    Url {
        /// Which rule it breaks, and how to mend it.
        why: &'static str,
    },
    /// A revocation feed that can't be followed.
    #[error("the revocation feed can't be followed: {why}")]
    Feed {
        /// What is missing, and how to mend it.
        why: &'static str,
    },
    /// Root certificates that can't be read.
    #[error("the root certificates can't be read; give PEM blocks `CERTIFICATE`")]
    Roots,
}
