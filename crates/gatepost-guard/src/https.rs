//! This file is where the guard reaches over the network, with bounds on everything that comes back.
//!
//! HTTPS is needed except on loopback; redirects are not followed, so answers come from the host that was named and
//! from no other. Compression is not asked for and not read: what a guard needs is small, and a bomb is not.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, Request, Response, request};
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

use crate::config_error::ConfigError;
use crate::key_source::FetchError;

pub(crate) const NOT_A_URL: ConfigError =
    ConfigError::Url { why: "it is no URL; give it in full, from https:// on" };

/// A client for GET requests; a clone is the same.
#[derive(Clone)]
pub(crate) struct Https(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Https {
    /// Trusts the roots that browsers trust.
    pub(crate) fn trusting_public_roots() -> Result<Self, ConfigError> {
        Ok(Self::of(tls()?.with_webpki_roots().with_no_client_auth()))
    }

    /// Trusts these root certificates and no others.
    pub(crate) fn trusting(roots_pem: &str) -> Result<Self, ConfigError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(roots_pem.as_bytes()) {
            let certificate = certificate.map_err(|_| ConfigError::Roots)?;
            roots.add(certificate).map_err(|_| ConfigError::Roots)?;
        }
        if roots.is_empty() {
            return Err(ConfigError::Roots);
        }
        Ok(Self::of(tls()?.with_root_certificates(roots).with_no_client_auth()))
    }

    fn of(tls: ClientConfig) -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        // A request every few minutes gains nothing from a connection that is kept.
        Self(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
    }

    /// Sends a request; the caller bounds the time.
    pub(crate) async fn send(&self, request: request::Builder) -> Result<Response<Incoming>, FetchError> {
        let request: Request<_> = request
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, concat!("gatepost-guard/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(connection)?;
        self.0.request(request).await.map_err(connection)
    }
}

/// The whole body, if it has no more than `limit` bytes.
pub(crate) async fn whole(body: Incoming, limit: usize) -> Result<Bytes, FetchError> {
    let collected = Limited::new(body, limit).collect().await;
    Ok(collected.map_err(|error| body_failure(error.as_ref(), limit))?.to_bytes())
}

/// Whether the body is of one of these media types and not compressed.
pub(crate) fn is_plain(headers: &HeaderMap, media_types: &[&str]) -> bool {
    let encoding = text(headers, &CONTENT_ENCODING).unwrap_or("identity");
    let media_type =
        text(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    encoding.eq_ignore_ascii_case("identity")
        && media_types.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A URL that is safe to fetch: https, or http on a loopback address.
pub(crate) fn checked(url: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(url).map_err(|_| NOT_A_URL)?;
    let loopback = match url.host().ok_or(NOT_A_URL)? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err(ConfigError::Url { why: "it must be https; http is for loopback addresses only" });
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(ConfigError::Url { why: "it has a user, a password or a fragment; leave them out" });
    }
    Ok(url)
}

/// The address of these path segments below a URL.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Result<Url, ConfigError> {
    let mut url = base.clone();
    url.path_segments_mut().map_err(|()| NOT_A_URL)?.pop_if_empty().extend(segments);
    Ok(url)
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

fn body_failure(error: &(dyn std::error::Error + Send + Sync + 'static), limit: usize) -> FetchError {
    if error.is::<LengthLimitError>() {
        return FetchError::TooLarge(limit);
    }
    FetchError::Connection(error.to_string())
}

fn tls() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ConfigError> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::Roots)
}
