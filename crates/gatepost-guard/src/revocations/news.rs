//! This file is where the revocation feed is asked for: where it is, who asks, and who must have signed it.

use std::time::Duration;

use gatepost_jose::{Algorithm, Jwk, PublicKey, base64url};
use http::header::{ACCEPT, AUTHORIZATION, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use url::Url;

use super::feed::FeedClaims;
use super::feed_error::FeedError;
use crate::config_error::ConfigError;
use crate::https::{self, Https};
use crate::key_source::FetchError;

/// A hundred thousand revocations fit.
const MAX_FEED_BYTES: usize = 16 * 1024 * 1024;
const MAX_METADATA_BYTES: usize = 256 * 1024;
/// How long the server is asked to wait for news before it says that there is none.
const WAIT: Duration = Duration::from_secs(25);
/// How long an answer may take beyond the wait.
const DEADLINE: Duration = Duration::from_secs(8);

/// The revocation feed of one API at its Gatepost server, for [`crate::Builder::follow`].
#[derive(Clone)]
pub struct Feed {
    issuer: String,
    api_id: String,
    feed_url: Url,
    metadata_url: Url,
    authorization: HeaderValue,
    https: Https,
    pub(super) service_key: Option<PublicKey>,
    pub(super) serve_for: Duration,
    pub(super) then: AfterThat,
}

/// What a guard does with good tokens when it has not heard the feed for longer than it may serve without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AfterThat {
    /// Refuses them with 503 until it hears again.
    #[default]
    Refuse,
    /// Goes on by what it heard last: an outage of the feed never becomes one of the API.
    Keep,
}

/// What is not signed is believed only so long: then the whole feed is asked for, whether it has changed or not.
const LONGEST_UNSIGNED: Duration = Duration::from_secs(300);

/// What the server answered.
pub(super) enum Answer {
    Unchanged,
    New { jwt: String, etag: Option<String> },
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    gatepost_service_jwk: Option<Jwk>,
}

impl Feed {
    /// The feed of the API `api_id` at this issuer, asked for with a secret that `gatepost api secret add` made.
    pub fn new(issuer: &str, api_id: &str, secret: &str) -> Result<Self, ConfigError> {
        if api_id.is_empty() || secret.is_empty() || api_id.contains(':') {
            return Err(ConfigError::Feed {
                why: "the api_id or the secret is missing; `gatepost api secret add` prints both",
            });
        }
        let (feed_url, metadata_url) = urls(issuer)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            api_id: api_id.to_owned(),
            feed_url,
            metadata_url,
            authorization: basic(api_id, secret)?,
            https: Https::trusting_public_roots()?,
            service_key: None,
            serve_for: Duration::from_secs(600),
            then: AfterThat::Refuse,
        })
    }

    /// The key that must have signed the feed: the member `gatepost_service_jwk` of the server's metadata. Unless it is
    /// given, the guard reads it from there once, over TLS or loopback, and keeps to it.
    pub fn service_key(mut self, jwk: &Jwk) -> Result<Self, ConfigError> {
        self.service_key = Some(usable(jwk).ok_or(ConfigError::Feed {
            why: "the service key is no ES256 key; copy `gatepost_service_jwk` from the server's metadata",
        })?);
        Ok(self)
    }

    /// Reaches the server at this address, when that is not the issuer's.
    pub fn reached_at(mut self, url: &str) -> Result<Self, ConfigError> {
        (self.feed_url, self.metadata_url) = urls(url)?;
        Ok(self)
    }

    /// Trusts these root certificates and no others: PEM, for a certificate authority of one's own.
    pub fn trusting(mut self, roots_pem: &str) -> Result<Self, ConfigError> {
        self.https = Https::trusting(roots_pem)?;
        Ok(self)
    }

    /// How long the guard serves by what it heard last; ten minutes unless set, at least one.
    #[must_use]
    pub fn serve_for(mut self, serve_for: Duration) -> Self {
        self.serve_for = serve_for.max(Duration::from_secs(60));
        self
    }

    /// What it does after that; it refuses unless set.
    #[must_use]
    pub fn then(mut self, then: AfterThat) -> Self {
        self.then = then;
        self
    }

    /// How long "nothing has changed" is believed after the last signed answer.
    pub(super) fn longest_unsigned(&self) -> Duration {
        self.serve_for.checked_div(2).unwrap_or(LONGEST_UNSIGNED).min(LONGEST_UNSIGNED)
    }

    /// Asks for the feed; with the tag of the last answer the server waits for news.
    pub(super) async fn ask(&self, etag: Option<&str>) -> Result<Answer, FeedError> {
        let mut url = self.feed_url.clone();
        let mut patience = DEADLINE;
        if etag.is_some() {
            url.set_query(Some(&format!("wait={}", WAIT.as_secs())));
            patience = patience.saturating_add(WAIT);
        }
        let mut request = Request::get(url.as_str())
            .header(ACCEPT, "application/jwt")
            .header(AUTHORIZATION, self.authorization.clone());
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = async { read(self.https.send(request).await?).await };
        let answer = tokio::time::timeout(patience, answer).await;
        match answer.unwrap_or(Err(FetchError::Timeout(patience).into()))? {
            // Nobody said what has not changed: this is a cache's answer, or worse.
            Answer::Unchanged if etag.is_none() => {
                Err(FetchError::Status(StatusCode::NOT_MODIFIED.as_u16()).into())
            }
            answer => Ok(answer),
        }
    }

    /// Reads a feed that `key` must have signed, for this API and from this issuer.
    pub(super) fn open(&self, jwt: &str, key: &PublicKey) -> Result<FeedClaims, FeedError> {
        FeedClaims::open(jwt, key, &self.issuer, &self.api_id)
    }

    /// The service key as the server's metadata name it (RFC 8414 section 3).
    pub(super) async fn fetch_service_key(&self) -> Result<PublicKey, FeedError> {
        let fetch = async {
            let response = self.https.send(Request::get(self.metadata_url.as_str())).await?;
            let (head, body) = response.into_parts();
            if head.status != StatusCode::OK {
                return Err(FetchError::Status(head.status.as_u16()));
            }
            https::whole(body, MAX_METADATA_BYTES).await
        };
        let body =
            tokio::time::timeout(DEADLINE, fetch).await.unwrap_or(Err(FetchError::Timeout(DEADLINE)))?;
        let metadata: Metadata = serde_json::from_slice(&body).map_err(|_| FeedError::Metadata)?;
        if metadata.issuer != self.issuer {
            return Err(FeedError::Metadata);
        }
        metadata.gatepost_service_jwk.as_ref().and_then(usable).ok_or(FeedError::Metadata)
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed")
            .field("issuer", &self.issuer)
            .field("api_id", &self.api_id)
            .finish_non_exhaustive()
    }
}

/// Where feed and metadata are below the server's address.
fn urls(base: &str) -> Result<(Url, Url), ConfigError> {
    let base = https::checked(base)?;
    let metadata = https::below(&base, &[".well-known", "oauth-authorization-server"])?;
    Ok((https::below(&base, &["oauth2", "revocations"])?, metadata))
}

async fn read(response: Response<Incoming>) -> Result<Answer, FeedError> {
    let (head, body) = response.into_parts();
    match head.status {
        StatusCode::NOT_MODIFIED => return Ok(Answer::Unchanged),
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => return Err(FeedError::Credentials),
        other => return Err(FetchError::Status(other.as_u16()).into()),
    }
    if !https::is_plain(&head.headers, &["application/jwt"]) {
        return Err(FeedError::Claims);
    }
    let body = https::whole(body, MAX_FEED_BYTES).await?;
    let jwt = String::from_utf8(body.into()).map_err(|_| FeedError::Claims)?;
    Ok(Answer::New { jwt, etag: https::text(&head.headers, &ETAG).map(str::to_owned) })
}

fn usable(jwk: &Jwk) -> Option<PublicKey> {
    PublicKey::from_jwk(jwk).ok().filter(|key| key.algorithm() == Algorithm::Es256)
}

/// RFC 7617; the value is marked as sensitive, so that no log prints it.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, ConfigError> {
    let mut pair = base64url::encode(format!("{id}:{secret}").as_bytes()).replace('-', "+").replace('_', "/");
    while !pair.len().is_multiple_of(4) {
        pair.push('=');
    }
    let mut value = HeaderValue::from_str(&format!("Basic {pair}"))
        .map_err(|_| ConfigError::Feed { why: "the api_id or the secret can't be sent in a header" })?;
    value.set_sensitive(true);
    Ok(value)
}
