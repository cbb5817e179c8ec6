//! This file is where keys are fetched from a JWK set URL, with bounds on everything that comes back.
//!
//! HTTPS is needed except on loopback; redirects are not followed, so the keys come from the host that was named
//! and from no other. Compression is not asked for and not read: a set is small, and a bomb is not.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_jose::JwkSet;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT,
};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::builder::ConfigError;
use crate::key_source::{FetchError, Fetched, Fetching, KeySource};

/// A hundred RSA keys of 4096 bits don't fit, a dozen do.
const MAX_BODY_BYTES: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(5);
/// What the source says about freshness is believed within these bounds.
const MIN_MAX_AGE: Duration = Duration::from_secs(30);
const MAX_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
const SHARED_PATH: &str = "/.well-known/jwks.json";

type HttpsClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// The JWK set at a URL.
#[derive(Clone)]
pub struct JwksUrl {
    uri: Uri,
    shared: bool,
    client: HttpsClient,
    deadline: Duration,
}

impl JwksUrl {
    /// The set at this URL: https, or http on a loopback address.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let url = checked(url)?;
        Ok(Self {
            uri: url.as_str().parse().map_err(|_| NOT_A_URL)?,
            shared: url.path().ends_with(SHARED_PATH),
            client: client(public_roots()?),
            deadline: DEADLINE,
        })
    }

    /// All keys of one API that verify tokens: `{issuer}/.well-known/jwks/{api}.json?all=1`.
    pub fn of_api(issuer: &str, api: &str) -> Result<Self, ConfigError> {
        let mut url = checked(issuer)?;
        url.path_segments_mut().map_err(|()| NOT_A_URL)?.pop_if_empty().extend([
            ".well-known",
            "jwks",
            &format!("{api}.json"),
        ]);
        url.set_query(Some("all=1"));
        Self::new(url.as_str())
    }

    /// Trusts these root certificates and no others: PEM, for a certificate authority of one's own.
    pub fn trusting(mut self, roots_pem: &str) -> Result<Self, ConfigError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(roots_pem.as_bytes()) {
            let certificate = certificate.map_err(|_| ConfigError::Roots)?;
            roots.add(certificate).map_err(|_| ConfigError::Roots)?;
        }
        if roots.is_empty() {
            return Err(ConfigError::Roots);
        }
        self.client = client(tls()?.with_root_certificates(roots).with_no_client_auth());
        Ok(self)
    }

    /// How long a fetch may take in all; 5 seconds unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn get(&self, etag: Option<&str>) -> Result<Fetched, FetchError> {
        let mut request = Request::get(self.uri.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, concat!("gatepost-guard/", env!("CARGO_PKG_VERSION")));
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = request.body(Empty::new()).map_err(connection)?;
        read(self.client.request(request).await.map_err(connection)?).await
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
    if !is_plain_json(&head.headers) {
        return Err(FetchError::NotJson);
    }
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|error| body_failure(error.as_ref()))?
        .to_bytes();
    let keys = JwkSet::parse(&body)?.usable();
    Ok(Fetched::Keys { keys, etag: text(&head.headers, &ETAG).map(str::to_owned), max_age })
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let encoding = text(headers, &CONTENT_ENCODING).unwrap_or("identity");
    let media_type =
        text(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    encoding.eq_ignore_ascii_case("identity")
        && ["application/json", "application/jwk-set+json"]
            .iter()
            .any(|json| media_type.eq_ignore_ascii_case(json))
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, &CACHE_CONTROL)?
        .split(',')
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())?;
    Some(Duration::from_secs(seconds).clamp(MIN_MAX_AGE, MAX_MAX_AGE))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn connection(error: impl std::error::Error) -> FetchError {
    // The outermost text of the client says only that something failed.
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    FetchError::Connection(text)
}

fn body_failure(error: &(dyn std::error::Error + Send + Sync + 'static)) -> FetchError {
    if error.is::<LengthLimitError>() {
        return FetchError::TooLarge(MAX_BODY_BYTES);
    }
    FetchError::Connection(error.to_string())
}

const NOT_A_URL: ConfigError = ConfigError::Url { why: "it is no URL; give it in full, from https:// on" };

fn checked(url: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(url).map_err(|_| NOT_A_URL)?;
    let loopback = match url.host().ok_or(NOT_A_URL)? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err(ConfigError::Url { why: "keys come over https; http is for loopback addresses only" });
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(ConfigError::Url { why: "it has a user, a password or a fragment; leave them out" });
    }
    Ok(url)
}

fn tls() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ConfigError> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::Roots)
}

fn public_roots() -> Result<ClientConfig, ConfigError> {
    Ok(tls()?.with_webpki_roots().with_no_client_auth())
}

fn client(tls: ClientConfig) -> HttpsClient {
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    // A fetch every few minutes gains nothing from a connection that is kept.
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}
