//! This file is where keys are fetched from a JWK set URL.

use std::time::Duration;

use gatepost_jose::JwkSet;
use http::header::{ACCEPT, CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;

use crate::config_error::ConfigError;
use crate::https::{self, Https, NOT_A_URL};
use crate::key_source::{FetchError, Fetched, Fetching, KeySource};

/// A hundred RSA keys of 4096 bits don't fit, a dozen do.
const MAX_BODY_BYTES: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(5);
/// What the source says about freshness is believed within these bounds.
const MIN_MAX_AGE: Duration = Duration::from_secs(30);
const MAX_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
const SHARED_PATH: &str = "/.well-known/jwks.json";

/// The JWK set at a URL.
#[derive(Clone)]
pub struct JwksUrl {
    uri: Uri,
    shared: bool,
    https: Https,
    deadline: Duration,
}

impl JwksUrl {
    /// The set at this URL: https, or http on a loopback address.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let url = https::checked(url)?;
        Ok(Self {
            uri: url.as_str().parse().map_err(|_| NOT_A_URL)?,
            shared: url.path().ends_with(SHARED_PATH),
            https: Https::trusting_public_roots()?,
            deadline: DEADLINE,
        })
    }

    /// All keys of one API that verify tokens: `{issuer}/.well-known/jwks/{api}.json?all=1`.
    pub fn of_api(issuer: &str, api: &str) -> Result<Self, ConfigError> {
        let issuer = https::checked(issuer)?;
        let mut url = https::below(&issuer, &[".well-known", "jwks", &format!("{api}.json")])?;
        url.set_query(Some("all=1"));
        Self::new(url.as_str())
    }

    /// Trusts these root certificates and no others: PEM, for a certificate authority of one's own.
    pub fn trusting(mut self, roots_pem: &str) -> Result<Self, ConfigError> {
        self.https = Https::trusting(roots_pem)?;
        Ok(self)
    }

    /// How long a fetch may take in all; 5 seconds unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn get(&self, etag: Option<&str>) -> Result<Fetched, FetchError> {
        let mut request =
            Request::get(self.uri.clone()).header(ACCEPT, "application/jwk-set+json, application/json");
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        read(self.https.send(request).await?).await
    }
}

impl KeySource for JwksUrl {
    fn fetch<'a>(&'a self, etag: Option<&'a str>) -> Fetching<'a> {
        Box::pin(async move {
            tokio::time::timeout(self.deadline, self.get(etag))
                .await
                .unwrap_or(Err(FetchError::Timeout(self.deadline)))
        })
    }

    fn is_shared(&self) -> bool {
        self.shared
    }
}

impl std::fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwksUrl").field("uri", &self.uri).finish_non_exhaustive()
    }
}

async fn read(response: Response<Incoming>) -> Result<Fetched, FetchError> {
    let (head, body) = response.into_parts();
    let max_age = max_age(&head.headers);
    match head.status {
        StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged { max_age }),
        StatusCode::OK => (),
        other => return Err(FetchError::Status(other.as_u16())),
    }
    if !https::is_plain(&head.headers, &["application/json", "application/jwk-set+json"]) {
        return Err(FetchError::NotJson);
    }
    let body = https::whole(body, MAX_BODY_BYTES).await?;
    let keys = JwkSet::parse(&body)?.usable();
    Ok(Fetched::Keys { keys, etag: https::text(&head.headers, &ETAG).map(str::to_owned), max_age })
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let seconds = https::text(headers, &CACHE_CONTROL)?
        .split(',')
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())?;
    Some(Duration::from_secs(seconds).clamp(MIN_MAX_AGE, MAX_MAX_AGE))
}
